/** Details of a person: name, id, presence, role in this room, and possible acts. */
import { mayDo } from '@maru/client';
import type { PresenceUser, Role } from '@maru/protocol/events';
import { useEffect, useState } from 'preact/hooks';
import { Avatar } from '../chat/avatar.tsx';
import { useWatched } from '../hooks.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { nameOf } from '../model/names.ts';
import { roleOf } from '../moderation/role-of.ts';
import { STATUS_WORDS } from '../presence/status-words.ts';
import type { RoomView } from '../workspace/room-view.ts';
import { Anchored } from './anchored.tsx';
import type { PersonPopup } from './popup.ts';
import type { PopupProps } from './popup-props.ts';
import './popups.css';

type CardProps = PopupProps<PersonPopup>;

/** The role of the person. Null while it loads, in direct rooms, and if it cannot be read. */
function useRole({ client, store, details, popup }: CardProps): Role | null {
  const [role, setRole] = useState<Role | null>(null);
  const { id } = popup.user;
  const hasRoles = details !== null && details.visibility !== 'direct';
  useEffect(() => {
    if (!hasRoles) return;
    let isWanted = true;
    roleOf(client, store.room, id).then(
      (found) => isWanted && setRole(found),
      () => {},
    );
    return () => {
      isWanted = false;
    };
  }, [client, store, id, hasRoles]);
  return role;
}

export function PersonCard(props: CardProps) {
  const { popup, store, names, ownId, onClose } = props;
  const { t } = useWords();
  const words = useSection('conversation');
  const { presence } = useWatched<RoomView>(store);
  const role = useRole(props);
  const { id } = popup.user;
  const name = popup.user.name || nameOf(names, id);
  const isOwn = id === ownId;
  const present = presence?.users?.get(id) ?? null;
  return (
    <Anchored at={popup.at} label={words.profileOf(name)} testId="person-card" onClose={onClose}>
      {/* The dialog focuses this element when it opens. A later effect would take the focus from a button. */}
      <div class="card" tabIndex={-1}>
        <div class="card-head">
          <Avatar id={id} name={name} />
          <h2 class="card-title">
            <bdi>{name}</bdi> {isOwn && <span class="you">{t.you}</span>}
          </h2>
        </div>
        <Presence present={present} isKnown={presence !== null && presence.users !== null} />
        {role !== null && <p data-testid="card-role">{words.roleHere(words.roles[role])}</p>}
        <p class="hint card-id">
          {isOwn ? words.yourId : words.userId}: <code>{id}</code>
        </p>
        <CardActs {...props} />
      </div>
    </Anchored>
  );
}

/** In a large room, the server does not send presence. */
function Presence({ present, isKnown }: { present: PresenceUser | null; isKnown: boolean }) {
  const { t } = useWords();
  const words = useSection('conversation');
  if (!isKnown) return null;
  return (
    <p data-testid="card-status">
      {present === null ? words.notHere : t[STATUS_WORDS[present.status]]}
      {present?.text && (
        <>
          {' · '}
          <bdi>{present.text}</bdi>
        </>
      )}
    </p>
  );
}

function CardActs({ popup, details, ownId, acts, onDirect, onClose }: CardProps) {
  const { t } = useWords();
  const words = useSection('conversation');
  const { user, isInThread } = popup;
  const isOwn = user.id === ownId;
  const isDirect = details?.visibility === 'direct';
  const mayManage =
    details !== null &&
    !isDirect &&
    mayDo(isOwn ? 'role' : 'bans', { ...details, isSelf: isOwn, ownRole: details.role });
  const act = (testId: string, label: string, run: () => void) => (
    <button
      type="button"
      class="quiet-button"
      data-testid={testId}
      onClick={() => {
        onClose();
        run();
      }}
    >
      {label}
    </button>
  );
  return (
    <div class="card-acts">
      {!isOwn && !isDirect && act('card-direct', t.writeTo(user.name), () => onDirect(user))}
      {!isOwn && details !== null && act('card-mention', words.mention, () => acts.onMention({ user, isInThread }))}
      {act('copy-id', words.copyId, () => acts.onCopy(user.id))}
      {mayManage &&
        act('manage-person', isOwn ? words.ownRole : words.manage(user.name), () =>
          acts.onDialog({ view: 'person', user }),
        )}
    </div>
  );
}
