/**
 * The state of a signed-in page above all views: the client, the room list and the open rooms. Each
 * session has one workspace. Views subscribe to its parts.
 */
import type { ChatClient } from '@maru/client';
import type { Conversations } from '@maru/client/conversation';
import { type Names, noteNames } from '../model/names.ts';
import type { OwnStatus } from '../presence/own-status.ts';
import type { RoomRow } from '../rooms/rows.ts';
import { createBackgroundJoins } from './background-joins.ts';
import { createOpenList, type OpenList } from './open-list.ts';
import { createOpenRooms, type OpenRooms } from './open-rooms.ts';

export interface Workspace {
  readonly client: ChatClient;
  readonly conversations: Conversations;
  readonly rooms: OpenRooms;
  readonly openList: OpenList;
  readonly ownStatus: OwnStatus;
  /**
   * Names of people from all rooms that were open. Lists also name people outside the open rooms.
   */
  readonly known: { current: Names };
  /** The scroll position of the room list, and its rows while it is shown. */
  readonly listPlace: { scrollTop: number; rows: readonly RoomRow[] | null };
  noteNames(names: Names): void;
  close(): void;
}

export interface WorkspaceOptions {
  client: ChatClient;
  conversations: Conversations;
  ownStatus: OwnStatus;
  ownId: string;
}

export function createWorkspace({ client, conversations, ownStatus, ownId }: WorkspaceOptions): Workspace {
  const rooms = createOpenRooms({ client, conversations, ownId, staysJoined: (room) => background.holds(room) });
  const openList = createOpenList(rooms, ownId);
  const background = createBackgroundJoins({
    client,
    myRooms: conversations.myRooms,
    isOpen: (room) => rooms.find(room) !== null,
  });
  const known: { current: Names } = { current: new Map() };
  return {
    ...{ client, conversations, rooms, openList, ownStatus, known },
    listPlace: { scrollTop: 0, rows: null },
    noteNames(names) {
      const people = [...names].map(([id, name]) => ({ id, name }));
      known.current = noteNames(known.current, people);
    },
    close() {
      background.close();
      openList.close();
      rooms.close();
      ownStatus.close();
    },
  };
}
