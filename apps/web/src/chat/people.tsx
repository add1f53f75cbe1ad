import type { PresenceView } from '@maru/client';
import type { PresenceUser } from '@maru/protocol/events';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { ChatIcon } from '../icons.tsx';
import { sortPeople } from '../model/person.ts';
import { StatusDot } from '../presence/status-dot.tsx';
import { STATUS_WORDS } from '../presence/status-words.ts';
import { Avatar } from './avatar.tsx';

export interface PeopleProps {
  presence: PresenceView | null;
  /** There is no connection, so the list may be out of date. */
  isStale: boolean;
  ownId: string;
  onPerson: (user: PresenceUser, at: HTMLElement) => void;
  /** Opens the direct room with the user. */
  onDirect: (user: PresenceUser) => void;
}

export function People({ presence, isStale, ownId, onPerson, onDirect }: PeopleProps) {
  const { language, t } = useWords();
  const users = presence?.users ?? null;
  return (
    <section class={isStale ? 'people is-stale' : 'people'}>
      <h2 class="panel-title">
        {t.people}
        {presence !== null && (
          <span class="count" data-testid="people-count" title={t.peopleCount(presence.count)}>
            {presence.count}
          </span>
        )}
      </h2>
      {isStale && presence !== null && (
        <p class="hint" data-testid="people-stale">
          {t.peopleStale}
        </p>
      )}
      {presence !== null && users === null && <p class="hint">{t.manyPeople}</p>}
      <ul class="people-list" data-testid="people">
        {users !== null &&
          sortPeople(users.values(), ownId, language).map((user) => (
            <li key={user.id} class="person" data-testid="person" data-user={user.id}>
              <button
                type="button"
                class="person-button"
                data-testid="person-button"
                aria-haspopup="dialog"
                title={user.name}
                onClick={(event) => onPerson(user, event.currentTarget)}
              >
                <Avatar id={user.id} name={user.name} isSmall />
                <span class="person-name">
                  <bdi>{user.name}</bdi>
                  {user.id === ownId && <span class="you"> {t.you}</span>}
                  {user.text !== undefined && user.text !== '' && (
                    <span class="person-status" title={user.text} data-testid="status-text" dir="auto">
                      {user.text}
                    </span>
                  )}
                </span>
              </button>
              <span class="status" title={t[STATUS_WORDS[user.status]]}>
                <StatusDot status={user.status} />
                <span class="sr-only">{t[STATUS_WORDS[user.status]]}</span>
              </span>
              {user.id !== ownId && (
                <IconButton
                  class="person-menu"
                  data-testid="direct-button"
                  label={t.writeTo(user.name)}
                  onClick={() => onDirect(user)}
                >
                  <ChatIcon />
                </IconButton>
              )}
            </li>
          ))}
      </ul>
    </section>
  );
}
