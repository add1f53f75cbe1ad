/** The own user below the room list: name, status, and menus of the whole page. */
import type { UserRef } from '@maru/protocol/events';
import { useCallback, useState } from 'preact/hooks';
import { Avatar } from '../chat/avatar.tsx';
import { useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { LeaveIcon } from '../icons.tsx';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import { Switches } from '../switches.tsx';
import type { OwnStatus } from './own-status.ts';
import { StatusDot } from './status-dot.tsx';
import { STATUS_WORDS } from './status-words.ts';

const loadDialog = () => import('./status-dialog.tsx').then(({ StatusDialog }) => StatusDialog);

export interface MeAreaProps {
  user: UserRef;
  ownStatus: OwnStatus;
  /** There is a connection, so other users see the status. */
  isConnected: boolean;
  onLeave: () => void;
}

export function MeArea({ user, ownStatus, isConnected, onLeave }: MeAreaProps) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  const dialog = useLazyPart(loadDialog, ['presence'], isOpen);
  const open = () => {
    if (dialog.kind === 'failed') dialog.retry();
    setOpen(true);
  };
  return (
    <footer class={isConnected ? 'me' : 'me is-stale'}>
      <Me {...{ user, ownStatus, isConnected }} onOpen={open} />
      <div class="me-tools">
        <Switches />
        <IconButton data-testid="leave-button" label={t.leave} onClick={onLeave}>
          <LeaveIcon />
        </IconButton>
      </div>
      {isOpen && dialog.kind === 'ready' && <dialog.part ownStatus={ownStatus} onClose={close} />}
      {isOpen && dialog.kind === 'failed' && <LoadFailed class="field-error" retry={dialog.retry} onClose={close} />}
    </footer>
  );
}

function Me({ user, ownStatus, isConnected, onOpen }: Omit<MeAreaProps, 'onLeave'> & { onOpen: () => void }) {
  const { t } = useWords();
  const { status, text } = useWatched(ownStatus);
  const statusWord = isConnected ? t[STATUS_WORDS[status]] : t.offline;
  return (
    <button
      type="button"
      class="me-name"
      data-testid="own-status"
      data-status={status}
      title={t.changeStatus}
      aria-haspopup="dialog"
      onClick={onOpen}
    >
      <Avatar id={user.id} name={user.name} isSmall />
      <span class="me-text">
        <bdi class="me-user">{user.name}</bdi>
        <span class="me-status">
          <StatusDot status={status} />
          {text !== '' && <span class="sr-only">{statusWord}: </span>}
          <bdi>{text === '' ? statusWord : text}</bdi>
        </span>
      </span>
      <span class="sr-only">. {t.changeStatus}</span>
    </button>
  );
}
