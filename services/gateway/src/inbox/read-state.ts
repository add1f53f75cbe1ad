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
