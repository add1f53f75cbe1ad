/**
 * A page of the user's rooms: reads the list, reads each room, and repairs the list. The room
 * decides what the user sees. The list only says which rooms to read.
 */
import { isDirectRoomId, isPrivateRoomId, type MyRoom, type MyRoomsData, type Visibility } from '@maru/protocol';
import type { ReadState, RoomSummary } from './read-state.ts';
import type { ListedRoom, RoomList } from './room-list.ts';

/** Maximum characters of JSON in one answer. A single room may have more. */
const PAGE_CHARS_MAX = 1_048_576;
/** Rooms to read at a time. If last messages are large, a page has few rooms. */
const ASKED_AT_ONCE = 32;
/** Maximum rooms to read for one answer. The user may have left many of them. */
const ASKED_MAX = 512;
/** Characters charged for each room in the list, because every page reads the whole list. */
const LISTED_CHARS = 64;

export type ReadMyRooms = (
  userId: string,
  page: { cursor?: string | undefined; limit: number },
) => Promise<{ data: MyRoomsData; chars: number }>;

export function createReadMyRooms(options: {
  roomList: Pick<RoomList, 'read' | 'repair'>;
  readState: Pick<ReadState, 'summaries'>;
}): ReadMyRooms {
  const { roomList, readState } = options;

  return async (userId, { cursor, limit }) => {
    const listed = await roomList.read(userId);
    const after = cursor === undefined ? listed : listed.filter(({ room }) => room > cursor);
    const page = new Page(limit);
    let asked = 0;
    while (!page.isFull && asked < Math.min(after.length, ASKED_MAX)) {
      const some = after.slice(asked, asked + ASKED_AT_ONCE);
      const summaries = await readState.summaries(
        userId,
        some.map(({ room }) => room),
      );
      for (const [index, summary] of summaries.entries()) {
        if (!page.add(some[index] as ListedRoom, summary)) break;
        asked++;
      }
    }
    if (page.inVain.length > 0) await roomList.repair(userId, page.inVain);
    const last = after[asked - 1];
    const isEnd = asked === after.length || last === undefined;
    return {
      data: { rooms: page.rooms, ...(isEnd ? {} : { cursor: last.room }) },
      chars: page.chars + listed.length * LISTED_CHARS,
    };
  };
}

class Page {
  readonly rooms: MyRoom[] = [];
  readonly inVain: ListedRoom[] = [];
  chars = 0;
  /** The page has `limit` rooms, or the next room does not fit. */
  isFull = false;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns false if the room does not fit. */
  add(listed: ListedRoom, summary: RoomSummary | 'gone' | 'hidden'): boolean {
    if (this.isFull) return false;
    if (summary === 'gone') this.inVain.push(listed);
    if (typeof summary === 'string') return true;
    if (this.chars + summary.chars > PAGE_CHARS_MAX && this.rooms.length > 0) {
      this.isFull = true;
      return false;
    }
    this.rooms.push(toMyRoom(listed, summary));
    this.chars += summary.chars;
    this.isFull = this.rooms.length === this.#limit;
    return true;
  }
}

const visibilityOf = (room: string): Visibility => {
  if (isDirectRoomId(room)) return 'direct';
  return isPrivateRoomId(room) ? 'private' : 'public';
};

function toMyRoom({ room, notify }: ListedRoom, summary: RoomSummary): MyRoom {
  const { title, role, epoch, head, n, last, read, with: other } = summary;
  const { seq, n: readN, unread, mentions } = read;
  return {
    room,
    title,
    visibility: visibilityOf(room),
    // Every user is a member of a public room.
    role: role ?? 'member',
    ...{ epoch, head, n },
    ...(last === undefined ? {} : { last }),
    read: { seq, n: readN },
    ...{ unread, mentions, notify },
    ...(other === undefined ? {} : { with: other }),
  };
}
