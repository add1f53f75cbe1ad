/**
 * The seam to the durable, ordered log of each room.
 *
 * An implementation MUST keep these promises:
 * - An append that resolves as stored is in the log exactly once.
 * - `seq` counts 1, 2, 3 … without gaps.
 * - Entries are announced on the room's channel in that order. Announcements may be lost.
 * - It never retries an append that may have been executed.
 * Every call rejects with MaruError: `not_found`, or `unavailable` if the store did not answer
 * within its deadline.
 */
import type { LogState, NotRecoveredReason, Position, Role } from '@maru/protocol';
import type { StoredEntry } from './entry-codec.ts';

export interface RoomState extends LogState {
  /** The head at which this epoch began: what survived of the epoch before it. */
  base: number;
}

export interface AppendRequest {
  room: string;
  userId: string;
  userName: string;
  clientMsgId: string;
  text: string;
  /**
   * False if the user's quota is used up. Then only a message that is already stored is
   * acknowledged.
   */
  mayStore: boolean;
}

export type AppendResult =
  | { outcome: 'stored' | 'duplicate'; epoch: string; seq: number; ts: number }
  /** The same id with another text. */
  | { outcome: 'conflict' }
  /** Not stored before, and `mayStore` is false. */
  | { outcome: 'refused' };

/**
 * A user, whose right to see the room is checked, or the node itself, which may read every room.
 */
export type Reader = { userId: string } | 'node';

export type ReadPiece =
  | { mode: 'none' }
  | { mode: 'newest'; limit: number }
  | { mode: 'before' | 'after'; seq: number; limit: number }
  /**
   * All entries after the position; if that gap cannot be closed, the newest `fallbackLimit` and
   * the reason.
   */
  | { mode: 'since'; position: Position; fallbackLimit: number };

export interface ReadResult extends RoomState {
  role: Role | undefined;
  reason: NotRecoveredReason | undefined;
  /** Ascending. */
  entries: StoredEntry[];
}

export interface RoomLog {
  append(request: AppendRequest): Promise<AppendResult>;
  /** `create`: creates a public room that does not exist. */
  read(room: string, reader: Reader, piece: ReadPiece, options?: { create?: boolean }): Promise<ReadResult>;
}
