import { type ChatClient, type ConnectionState, type EndReason, systemScheduler } from '@maru/client';
import type { Conversations } from '@maru/client/conversation';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Names } from '../model/names.ts';
import type { Session } from '../session/api.ts';
import { createRoomStore, type RoomStore } from './room-store.ts';
import { Shell } from './shell.tsx';
import { useClient } from './use-client.ts';
import '../styles/shell.css';
import '../styles/drawer.css';
import '../styles/messages.css';
import '../styles/composer.css';
import '../styles/extras.css';

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
  conversations: Conversations;
  connection: ConnectionState;
}

function useRoomStore({ client, conversations, room, session }: OpenRoomProps): RoomStore | null {
  const [store, setStore] = useState<RoomStore | null>(null);
  const ownId = session.user.id;
  useEffect(() => {
    const conversation = conversations.open(room);
    const created = createRoomStore({ client, conversation, ownId, scheduler: systemScheduler });
    setStore(created);
    return () => created.close();
  }, [client, conversations, room, ownId]);
  return store;
}

function OpenRoom(props: OpenRoomProps) {
  const store = useRoomStore(props);
  // Of all rooms of this page: the list of rooms names people who are not in this room.
  const known = useRef<Names>(new Map());
  // Right after a room change, the store is still that of the previous room.
  return store?.room !== props.room ? null : <Shell key={props.room} {...props} store={store} known={known} />;
}
