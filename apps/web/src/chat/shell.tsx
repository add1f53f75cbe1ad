/**
 * The page of a signed-in user: the room list, and beside it a room or the directory. It stays
 * mounted while the route changes.
 */
import { useWords } from '../i18n/index.ts';
import { Keyboard } from '../keyboard/keyboard.tsx';
import { DialogHost } from '../moderation/dialog-host.tsx';
import { NoticesHost } from '../notices/notices-host.tsx';
import { PageTitle } from '../notices/use-attention.tsx';
import { DirectoryHost } from '../rooms/directory-host.tsx';
import { Sidebar } from '../rooms/sidebar.tsx';
import { roomsInOrder } from '../rooms/use-sections.ts';
import { AdminNotice } from './admin-notice.tsx';
import { Nowhere } from './nowhere.tsx';
import { Panel } from './panel.tsx';
import { RoomPage } from './room-page.tsx';
import { type ShellProps, type ShellState, useShell } from './use-shell.ts';

export function Shell(props: ShellProps) {
  const shell = useShell(props);
  const { route, store, open, setOpen, showsRooms } = shell;
  const { t, language } = useWords();
  const { workspace, session } = props;
  const isRoom = route.view === 'room' && store !== null;
  return (
    <div class="page">
      <Keyboard room={store?.room ?? ''} rooms={() => roomsInOrder(props, language)} onGoToRoom={shell.goTo} />
      <AdminNotice client={workspace.client} />
      <div class="shell">
        <Panel
          side="start"
          title={t.rooms}
          isInline={showsRooms}
          isOpen={open === 'rooms'}
          onClose={() => setOpen(null)}
        >
          <Sidebar {...props} shell={shell} />
        </Panel>
        {isRoom && <RoomPage {...props} {...{ shell, store }} />}
        {route.view === 'rooms' && <DirectoryHost {...props} shell={shell} />}
        {route.view === 'nowhere' && <Nowhere typed={route.typed} shell={shell} />}
        {!isRoom && <PageTitle workspace={workspace} store={null} place={route.view === 'rooms' ? t.allRooms : ''} />}
        <NoticesHost {...{ workspace, store }} ownId={session.user.id} onGo={shell.go} />
        {!isRoom && <CreateDialog {...props} shell={shell} />}
      </div>
    </div>
  );
}

/** Without a room, the dialog can only create rooms. */
function CreateDialog({ workspace, session, shell }: ShellProps & { shell: ShellState }) {
  const { client, conversations, known } = workspace;
  const { dialog, goTo } = shell;
  return (
    <DialogHost
      target={dialog.target?.view === 'create' ? dialog.target : null}
      {...{ client, store: null, details: null, names: known.current, ownId: session.user.id }}
      myRooms={conversations.myRooms}
      onTarget={dialog.setTarget}
      onClose={dialog.closeDialog}
      onGoToRoom={goTo}
      onShowMessage={() => {}}
    />
  );
}
