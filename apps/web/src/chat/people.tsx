import type { PresenceView } from '@maru/client';
import type { PresenceUser, Role } from '@maru/protocol/events';
import { useWords } from '../i18n/index.ts';
import { ChatIcon, MoreIcon } from '../icons.tsx';
import { sortPeople } from '../model/person.ts';
import { Avatar } from './avatar.tsx';

const STATUS_WORDS = { online: 'statusOnline', away: 'statusAway', dnd: 'statusDnd' } as const satisfies Record<
  PresenceUser['status'],
  string
>;

export interface PeopleProps {
  presence: PresenceView | null;
  ownId: string;
  /** The own role; null outside a room. */
  role: Role | null;
  onMenu: (user: PresenceUser) => void;
  /** Opens the direct room with the user. */
  onDirect: (user: PresenceUser) => void;
}

export function People({ presence, ownId, role, onMenu, onDirect }: PeopleProps) {
  const { language, t } = useWords();
  const users = presence?.users ?? null;
  return (
    <section class="people">
      <h2 class="panel-title">
        {t.people}
        {presence !== null && (
          <span class="count" data-testid="people-count" title={t.peopleCount(presence.count)}>
            {presence.count}
          </span>
        )}
      </h2>
      {presence !== null && users === null && <p class="hint">{t.manyPeople}</p>}
      <ul class="people-list" data-testid="people">
        {users !== null &&
          sortPeople(users.values(), ownId, language).map((user) => (
            <li key={user.id} class="person" data-testid="person" data-user={user.id}>
              <Avatar id={user.id} name={user.name} isSmall />
              <span class="person-name" title={user.name}>
                <bdi>{user.name}</bdi>
                {user.id === ownId && <span class="you"> {t.you}</span>}
              </span>
              <span class={`status status-${user.status}`}>
                {user.status === 'online' ? (
                  <span class="sr-only">{t.statusOnline}</span>
                ) : (
                  t[STATUS_WORDS[user.status]]
                )}
              </span>
              {user.id !== ownId && (
                <button
                  type="button"
                  class="icon-button person-menu"
                  data-testid="direct-button"
                  aria-label={t.writeTo(user.name)}
                  title={t.writeTo(user.name)}
                  onClick={() => onDirect(user)}
                >
                  <ChatIcon />
                </button>
              )}
              {role !== null && (role !== 'member' || user.id === ownId) && (
                <button
                  type="button"
                  class="icon-button person-menu"
                  data-testid="person-menu"
                  aria-label={t.personMenu(user.name)}
                  title={t.personMenu(user.name)}
                  aria-haspopup="dialog"
                  onClick={() => onMenu(user)}
                >
                  <MoreIcon />
                </button>
              )}
            </li>
          ))}
      </ul>
    </section>
  );
}
