/**
 * The seam to read positions. Positions and counts are in the room's slot, so each answer is
 * consistent. Every call rejects `unavailable` if the store does not answer.
 */
import type { Entry, ReadData, Reader, Role } from '@maru/protocol';

/** What the user's room list shows about a room. */
export interface RoomSummary {
  epoch: string;
  head: number;
  n: number;
  role: Role | undefined;
  title: string;
  last: Entry | undefined;
  read: ReadData;
  /** The other user of a direct room. */
  with: string | undefined;
  /** Its size in characters of JSON. */
  chars: number;
}

export type Summary =
  | RoomSummary
  /** The room does not exist, or the user is not a member. */
  | 'gone'
  /** The room is closed, or the user is banned. */
  | 'hidden';

export type Move =
  | { outcome: 'moved' | 'new' | 'same'; data: ReadData }
  /** It would be the user's first position in the room, and `mayStore` is false. */
  | { outcome: 'refused' };

/**
 * The entry has left the hot log, so the number of messages up to it is needed. The archive has
 * everything up to `archived`.
 */
export interface ArchivedMove {
  outcome: 'archived';
  epoch: string;
  archived: number;
}

export interface ReadState {
  summaries(userId: string, rooms: readonly string[]): Promise<Summary[]>;
  /**
   * Rejects `not_found` or `forbidden` if the user may not read the room, `invalid` above the head,
   * and `conflict` if the room has too many positions.
   */
  move(userId: string, room: string, seq: number, mayStore: boolean): Promise<Move>;
  /** Rejects like `move`, and with `conflict` in a large room. */
  readers(userId: string, room: string): Promise<Reader[]>;
}

/**
 * The part of Redis. As a `ReadState` it knows no archive: what has left the hot log counts as
 * read.
 */
export interface HotReadState extends ReadState {
  /**
   * Like `move`, also to an entry that only the archive has. `n` is the number of messages up to
   * it; `ask`: that is not known.
   */
  moveHot(
    request: { userId: string; room: string; seq: number; mayStore: boolean },
    archived: 'ask' | { epoch: string; n: number },
  ): Promise<Move | ArchivedMove>;
}
