import { type ChatClient, type ConnectionState, type EndReason, systemScheduler } from '@maru/client';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useMedia, useWatched } from '../hooks.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { MenuIcon, PeopleIcon } from '../icons.tsx';
import type { Session } from '../session/api.ts';
import { Composer } from './composer.tsx';
import { ConnectionBanner, ConnectionPill } from './connection.tsx';
import { MessageList } from './message-list.tsx';
import { Panel } from './panel.tsx';
import { People } from './people.tsx';
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
        <Rooms session={session} room={room} presentCount={count} onGoToRoom={goTo} onLeave={onLeave} />
      </Panel>
      <main class="conversation">
        <header class="bar">
          {!showsRooms && (
            <button
              type="button"
              class="icon-button"
              aria-label={t.openRooms}
              title={t.openRooms}
              onClick={() => setOpen('rooms')}
            >
              <MenuIcon />
            </button>
          )}
          <h1 class="bar-room" title={room}>
            <span class="hash" aria-hidden="true">
              #
            </span>
            <bdi>{room}</bdi>
          </h1>
          <ConnectionPill connection={connection} />
          {!showsPeople && (
            <button
              type="button"
              class="icon-button with-count"
              data-testid="people-button"
              aria-label={count === null ? t.openPeople : `${t.openPeople} · ${t.peopleCount(count)}`}
              title={t.openPeople}
              onClick={() => setOpen('people')}
            >
              <PeopleIcon />
              {count !== null && <span aria-hidden="true">{count}</span>}
            </button>
          )}
        </header>
        <ConnectionBanner connection={connection} onRetry={client.retryNow} />
        {view.entered.kind === 'refused' || view.entered.kind === 'removed' ? (
          <div class="blank" role="alert" data-testid="room-problem">
            <h2>{view.entered.kind === 'removed' ? t.removed : t.refused}</h2>
            {view.entered.kind === 'refused' && <p>{wordsOfError(t, view.entered.code)}</p>}
          </div>
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
            />
            <TypingLine typists={view.typists} />
            <Composer key={`composer ${room}`} client={client} room={room} store={store} />
          </>
        )}
      </main>
      <Panel side="end" title={t.people} isInline={showsPeople} isOpen={open === 'people'} onClose={close}>
        <People presence={view.presence} ownId={ownId} />
      </Panel>
    </div>
  );
}
