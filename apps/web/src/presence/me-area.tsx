/** The own user below the room list: name, status, and menus of the whole page. */
import type { UserRef } from '@maru/protocol/events';
import { useCallback, useState } from 'preact/hooks';
import { Avatar } from '../chat/avatar.tsx';
import { useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { LeaveIcon } from '../icons.tsx';
import { LazyDialog } from '../lazy-dialog.tsx';
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
  /** How often the dialog was opened. Zero while it is closed. */
  const [opened, setOpened] = useState(0);
  const close = useCallback(() => setOpened(0), []);
  const given = opened > 0 ? { ownStatus, onClose: close } : null;
  return (
    <footer class={isConnected ? 'me' : 'me is-stale'}>
      <Me {...{ user, ownStatus, isConnected }} onOpen={() => setOpened(opened + 1)} />
      <div class="me-tools">
        <Switches />
        <IconButton data-testid="leave-button" label={t.leave} onClick={onLeave}>
          <LeaveIcon />
        </IconButton>
      </div>
      <LazyDialog key={opened} load={loadDialog} words={['presence']} given={given} />
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
