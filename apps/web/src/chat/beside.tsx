/** The panel beside the room: the search if it is open, else a thread, else the people. */
import { hasSession } from '@maru/client';
import type { Hit } from '@maru/client/search';
import { ThreadHost } from '../conversation/thread-host.tsx';
import { useWords } from '../i18n/index.ts';
import { useShortcut } from '../keyboard/use-shortcut.ts';
import { nameOfMyRoom } from '../model/room-name.ts';
import { FindHost } from '../search/find-host.tsx';
import { isEnterable } from '../workspace/room-view.ts';
import { Panel } from './panel.tsx';
import { People } from './people.tsx';
import type { RoomPageProps, RoomPageState } from './use-room-page.ts';

type BesideProps = RoomPageProps & { page: RoomPageState };

export function Beside(props: BesideProps) {
  const { workspace, session, connection, store, shell, page } = props;
  const { client } = workspace;
  const { open, setOpen, find, showsPeople, showsPane } = shell;
  const { view, thread, setThread, threadPlace, acts, direct, ownId, isWaiting } = page;
  const { t } = useWords();
  const close = () => {
    setOpen(null);
    setThread(null);
  };
  useShortcut('close', find.isOpen ? find.close : close);
  if (find.isOpen) return <Finder {...props} />;
  if (thread !== null) {
    return (
      <Panel side="end" title={t.replyInThread} isInline={showsPane} isOpen isWide onClose={close}>
        <ThreadHost
          key={store.room}
          root={thread}
          {...{ client, store, view, ownId, isWaiting }}
          actions={acts.acts}
          editing={acts.editing}
          mention={acts.mention}
          place={threadPlace}
          onMentioned={acts.onMentioned}
          ownName={session.user.name}
          onClose={showsPane ? close : null}
        />
      </Panel>
    );
  }
  if (!isEnterable(view.entered)) return null;
  return (
    <Panel side="end" title={t.people} isInline={showsPeople} isOpen={open === 'people'} onClose={close}>
      <People
        presence={view.presence}
        isStale={!hasSession(connection)}
        ownId={ownId}
        onPerson={(user, at) => acts.acts.onPopup({ kind: 'person', user, isInThread: false, at })}
        onDirect={direct.openDirect}
      />
    </Panel>
  );
}

function Finder({ workspace, store, shell, page }: BesideProps) {
  const { t } = useWords();
  const { client, conversations, known } = workspace;
  const { find, showsPane } = shell;
  const { room, ownId, title } = page;
  const nameOfRoom = (id: string): string => {
    const listed = conversations.myRooms.room(id);
    const name = id === room ? title : listed ? nameOfMyRoom(listed, known.current) : { name: id, isPerson: false };
    return name.isPerson ? name.name : `#${name.name}`;
  };
  /** Close the drawer first. It would cover the target. */
  const leave = () => {
    if (!showsPane) find.close();
  };
  const onOpen = ({ room: found, seq }: Hit) => {
    leave();
    shell.go({ room: found, seq });
  };
  const onDay = (ts: number) => {
    leave();
    store.jumpTo({ at: ts });
  };
  return (
    <Panel side="end" title={t.find} isInline={showsPane} isOpen isWide onClose={find.close}>
      <FindHost
        {...{ client, find, room, nameOfRoom, ownId, onOpen, onDay }}
        people={known.current}
        onClose={showsPane ? find.close : null}
      />
    </Panel>
  );
}
