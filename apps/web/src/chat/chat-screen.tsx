import { type ChatClient, type ConnectionState, type EndReason, systemScheduler } from '@maru/client';
import type { Entry } from '@maru/protocol/events';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { useMedia, useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { DialogHost } from '../moderation/dialog-host.tsx';
import type { DialogTarget } from '../moderation/target.ts';
import type { Session } from '../session/api.ts';
import { Bar } from './bar.tsx';
import { Composer } from './composer.tsx';
import { ConnectionBanner } from './connection.tsx';
import { MessageList } from './message-list.tsx';
import { Panel } from './panel.tsx';
import { People } from './people.tsx';
import { RoomProblem } from './room-problem.tsx';
import { createRoomStore, type RoomStore } from './room-store.ts';
import { Rooms } from './rooms.tsx';
import { TypingLine } from './typing-line.tsx';
import { useClient } from './use-client.ts';

export interface ChatScreenProps {
  session: Session;
  room: string;
  onGoToRoom: (room: string) => void;
  onLeave: () => void;
  onEnded: (reason: EndReason) => void;
}

export function ChatScreen({ session, room, onGoToRoom, onLeave, onEnded }: ChatScreenProps) {
  const handle = useClient(session, onEnded);
  if (handle === null) return null;
  return <OpenRoom {...handle} session={session} room={room} onGoToRoom={onGoToRoom} onLeave={onLeave} />;
}

interface OpenRoomProps extends Omit<ChatScreenProps, 'onEnded'> {
  client: ChatClient;
  connection: ConnectionState;
}

function useRoomStore(client: ChatClient, room: string, ownId: string): RoomStore | null {
  const [store, setStore] = useState<RoomStore | null>(null);
  useEffect(() => {
    const created = createRoomStore({ client, room, ownId, scheduler: systemScheduler });
    setStore(created);
    return () => created.close();
  }, [client, room, ownId]);
  return store;
}

function OpenRoom(props: OpenRoomProps) {
  const store = useRoomStore(props.client, props.room, props.session.user.id);
  // Right after a room change, the store is still that of the previous room.
  return store?.room !== props.room ? null : <Shell {...props} store={store} />;
}

/** What the dialog is about; null while it is closed. Outside a room it only makes new rooms. */
function useDialog(isInRoom: boolean) {
  const [target, setTarget] = useState<DialogTarget | null>(null);
  const closeDialog = useCallback(() => setTarget(null), []);
  const onMessageMenu = useCallback(
    (entry: Entry) => setTarget({ view: 'person', user: entry.from, message: entry }),
    [],
  );
  useEffect(() => {
    if (!isInRoom) setTarget((now) => (now?.view === 'create' ? now : null));
  }, [isInRoom]);
  return { target, setTarget, closeDialog, onMessageMenu };
}

function Shell({
  client,
  connection,
  session,
  room,
  store,
  onGoToRoom,
  onLeave,
}: OpenRoomProps & { store: RoomStore }) {
  const { t } = useWords();
  const view = useWatched(store);
  const showsRooms = useMedia('(min-width: 70rem)');
  const showsPeople = useMedia('(min-width: 52rem)');
  const [open, setOpen] = useState<'rooms' | 'people' | null>(null);
  const close = useMemo(() => () => setOpen(null), []);
  const { details } = view;
  const { target, setTarget, closeDialog, onMessageMenu } = useDialog(details !== null);
  const hasSettings = details !== null && (details.role !== 'member' || details.visibility === 'private');
  const ownId = session.user.id;

  const unread = view.timeline.unreadCount;
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}#${room} · Maru`;
    return () => {
      document.title = 'Maru';
    };
  }, [room, unread]);

  const goTo = (next: string) => {
    setOpen(null);
    onGoToRoom(next);
  };
  const count = view.presence?.count ?? null;

  return (
    <div class="shell">
      <Panel side="start" title={t.rooms} isInline={showsRooms} isOpen={open === 'rooms'} onClose={close}>
        <Rooms
          session={session}
          room={room}
          title={details?.title ?? ''}
          presentCount={count}
          onGoToRoom={goTo}
          onCreate={() => setTarget({ view: 'create' })}
          onLeave={onLeave}
        />
      </Panel>
      <main class="conversation">
        <Bar
          room={room}
          details={view.details}
          connection={connection}
          count={count}
          onShowRooms={showsRooms ? null : () => setOpen('rooms')}
          onShowPeople={showsPeople ? null : () => setOpen('people')}
          onShowSettings={hasSettings ? () => setTarget({ view: 'room' }) : null}
        />
        <ConnectionBanner connection={connection} onRetry={client.retryNow} />
        {view.entered.kind === 'refused' || view.entered.kind === 'removed' ? (
          <RoomProblem
            entered={view.entered}
            view={view}
            store={store}
            onGoToRoom={goTo}
            onShowRooms={showsRooms ? null : () => setOpen('rooms')}
          />
        ) : (
          <>
            <MessageList
              key={room}
              room={room}
              view={view}
              store={store}
              ownId={ownId}
              ownName={session.user.name}
              isWaiting={connection.state !== 'connected'}
              onMenu={onMessageMenu}
            />
            <TypingLine typists={view.typists} />
            <Composer key={`composer ${room}`} client={client} room={room} store={store} view={view} />
          </>
        )}
      </main>
      <Panel side="end" title={t.people} isInline={showsPeople} isOpen={open === 'people'} onClose={close}>
        <People
          presence={view.presence}
          ownId={ownId}
          role={details?.role ?? null}
          onMenu={(user) => setTarget({ view: 'person', user, message: null })}
        />
      </Panel>
      <DialogHost
        target={target}
        client={client}
        store={store}
        details={details}
        names={view.names}
        ownId={ownId}
        onTarget={setTarget}
        onClose={closeDialog}
        onGoToRoom={goTo}
        onShowMessage={showMessage}
      />
    </div>
  );
}

/** The dialog's focus returns after it has closed, so the message takes it afterwards. */
function showMessage(seq: number): boolean {
  const row = document.querySelector<HTMLElement>(`[data-testid="message"][data-seq="${seq}"]`);
  if (row === null) return false;
  row.tabIndex = -1;
  setTimeout(() => {
    row.scrollIntoView({ block: 'center' });
    row.focus({ preventScroll: true });
  }, 0);
  return true;
}
