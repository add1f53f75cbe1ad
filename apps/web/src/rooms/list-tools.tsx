/** Tools above the room list: the directory, and acts on the whole list. */
import { useCallback } from 'preact/hooks';
import type { ShellState } from '../chat/use-shell.ts';
import { useSelected } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { CompassIcon, ReadIcon } from '../icons.tsx';
import { focusRegion } from '../keyboard/regions.ts';
import { useShortcut } from '../keyboard/use-shortcut.ts';
import { isOtherTab } from '../model/route.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** A key also calls it. A room that could not be marked keeps its count. */
function useMarkAllRead({ conversations }: Workspace): () => void {
  const { myRooms } = conversations;
  const markAllRead = useCallback(() => {
    myRooms.markAllRead().catch((error: unknown) => console.warn('not all rooms were marked as read', error));
  }, [myRooms]);
  useShortcut('markAllRead', markAllRead);
  return markAllRead;
}

/** The list is not what the server has. */
export function ListProblem({ workspace }: { workspace: Workspace }) {
  const { myRooms } = workspace.conversations;
  const { t } = useWords();
  const hasFailed = useSelected(myRooms, (view) => view.hasFailed);
  return (
    <div role="alert">
      {hasFailed && (
        <p class="field-error rooms-note" data-testid="rooms-problem">
          {t.roomsFailed}{' '}
          <button type="button" class="link-button" onClick={myRooms.refresh}>
            {t.tryNow}
          </button>
        </p>
      )}
    </div>
  );
}

interface ListToolsProps {
  workspace: Workspace;
  shell: ShellState;
  hasUnread: boolean;
  unreadOnly: boolean;
  setUnreadOnly: (unreadOnly: boolean) => void;
}

export function ListTools({ workspace, shell, hasUnread, unreadOnly, setUnreadOnly }: ListToolsProps) {
  const { t } = useWords();
  const markAllRead = useMarkAllRead(workspace);
  return (
    <div class="rooms-tools">
      <a
        class="room-link all-rooms"
        href="/rooms"
        data-testid="all-rooms"
        aria-current={shell.route.view === 'rooms' ? 'page' : undefined}
        onClick={(event) => {
          if (isOtherTab(event)) return;
          event.preventDefault();
          shell.goToRooms();
        }}
      >
        <CompassIcon />
        {t.allRooms}
      </a>
      {hasUnread && (
        <IconButton
          data-testid="mark-all-read"
          label={t.markAllRead}
          onClick={() => {
            // The button disappears, so move the focus.
            focusRegion('rooms');
            markAllRead();
          }}
        >
          <ReadIcon />
        </IconButton>
      )}
      <button
        type="button"
        class="quiet-button unread-only"
        data-testid="unread-only"
        aria-pressed={unreadOnly}
        title={t.unreadOnlyTitle}
        onClick={() => setUnreadOnly(!unreadOnly)}
      >
        {t.unreadOnly}
      </button>
    </div>
  );
}
