/**
 * The seam to the durable, ordered log of each room. An implementation promises: an append that resolves as stored is in
 * the log exactly once; `seq` counts 1, 2, 3 … without holes; every subscriber of the room's live channel is told in
 * that order (or, when told nothing, can read it); nothing is retried behind the caller's back.
 * Every call rejects with MaruError: `not_found`, or `unavailable` when the store did not answer within its deadline.
 */
import type { LogState, NotRecoveredReason, Position, Role } from '@maru/protocol';

/** An entry as the log keeps it: two runs of JSON members that need no parsing on their way to a socket. */
export interface StoredEntry {
  seq: number;
  /** Milliseconds of the store's clock. */
  ts: number;
  /** `"type":…,"from":…,"clientMsgId":…` */
  head: string;
  /** `"text":…` or, for other types, `"data":…` */
  tail: string;
}

/** What entries weigh, in characters of JSON. */
export const weigh = (entries: StoredEntry[]): number =>
  entries.reduce((sum, entry) => sum + entry.head.length + entry.tail.length, 0);

export interface RoomState extends LogState {
  /** The head at which this epoch began: what survived of the life before. */
  base: number;
}

export interface AppendRequest {
  room: string;
  userId: string;
  userName: string;
  clientMsgId: string;
  text: string;
  /** False where the user's quota is used up: then only a message that is stored already is acknowledged. */
  mayStore: boolean;
}

export type AppendResult =
  | { outcome: 'stored' | 'duplicate'; epoch: string; seq: number; ts: number }
  /** The same id with another text. */
  | { outcome: 'conflict' }
  /** Not stored before, and it may not be stored now. */
  | { outcome: 'refused' };

/** Whose eyes a read has: a user's, whose right to see the room is checked, or the node's own. */
export type Reader = { userId: string } | 'node';

export type ReadPiece =
  | { mode: 'none' }
  | { mode: 'newest'; limit: number }
  | { mode: 'before' | 'after'; seq: number; limit: number }
  /** All after the position; where that hole cannot be closed, the newest `fallbackLimit` and the reason. */
  | { mode: 'since'; position: Position; fallbackLimit: number };

export interface ReadResult extends RoomState {
  role: Role | undefined;
  reason: NotRecoveredReason | undefined;
  /** Ascending. */
  entries: StoredEntry[];
}

export interface RoomLog {
  append(request: AppendRequest): Promise<AppendResult>;
  /** `create`: a public room that does not exist comes into being. */
  read(room: string, reader: Reader, piece: ReadPiece, options?: { create?: boolean }): Promise<ReadResult>;
}
