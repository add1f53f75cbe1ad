/**
 * The seam to the durable, ordered log of each room.
 *
 * An implementation MUST keep these promises:
 * - An append that resolves as stored is in the log exactly once.
 * - `seq` counts 1, 2, 3 … without gaps.
 * - Entries are announced on the room's channel in that order. Announcements may be lost.
 * - It never retries an append that may have been executed.
 * - An act and its entry are of one moment. No entry of a user whom it bans, mutes or kicks
 * follows.
 * Every call rejects with MaruError: `not_found`, `forbidden` for a read of a user who is banned,
 * or
 * `unavailable` if the store did not answer within its deadline.
 */
import { type LogState, MaruError, type NotRecoveredReason, type Position, type Role } from '@maru/protocol';
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
  | { outcome: 'stored' | 'duplicate'; epoch: string; seq: number; ts: number; n: number }
  /** The same id with another text. */
  | { outcome: 'conflict' }
  /** Not stored before, and `mayStore` is false. */
  | { outcome: 'refused' }
  /** `untilTs` is 0 if it has no end. */
  | { outcome: 'forbidden'; why: 'closed' | 'banned' | 'muted' | 'read_only'; untilTs: number }
  /** Slow mode. */
  | { outcome: 'slow'; retryAfterMs: number };

/** What changes a room or a member. See `append-act.lua` for who may do what. */
export type Act =
  | { type: 'kick' | 'ban' | 'mute'; user: string; forMs: number | undefined; reason: string | undefined }
  | { type: 'unban' | 'unmute'; user: string; reason: string | undefined }
  | { type: 'role'; user: string; role: Role }
  | { type: 'invite' | 'leave'; user: string }
  | ({ type: 'update' } & RoomFields)
  | { type: 'close' | 'open' };

export interface RoomFields {
  title?: string | undefined;
  topic?: string | undefined;
  readOnly?: boolean | undefined;
  slowModeS?: number | undefined;
}

export interface ActRequest {
  room: string;
  userId: string;
  userName: string;
  clientMsgId: string | undefined;
  act: Act;
  isAdmin: boolean;
  /** As in `AppendRequest`. */
  mayStore: boolean;
}

/** Why an act was not carried out. */
export type ActRefusal =
  | { outcome: 'conflict'; why: 'id' | 'last_owner' | 'banned' | 'full' | 'not_banned' | 'not_muted' }
  | { outcome: 'forbidden'; why: 'closed' | 'banned' | 'muted' | 'role' | 'rank' | 'self' }
  | { outcome: 'not_found'; what: 'room' | 'user' };

export type ActResult =
  | { outcome: 'stored' | 'duplicate'; epoch: string; seq: number; ts: number; n: number; untilTs: number }
  /** The invited user is a member already. Nothing was stored. */
  | { outcome: 'known' }
  | { outcome: 'refused' }
  | ActRefusal;

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
  /**
   * Not every user may read or write. A reader that did not name its user MUST check the right of
   * each user after the read.
   */
  guarded: boolean;
  /** Undefined for the node itself. */
  settings: RoomSettings | undefined;
  /** Ascending. */
  entries: StoredEntry[];
}

export interface RoomSettings {
  title: string;
  topic: string;
  readOnly: boolean;
  slowModeS: number;
  /** Undefined if the user is not muted; 0 without an end. */
  mutedUntilTs: number | undefined;
}

/** The room was deleted. For users it is the same as any `not_found`. */
export class RoomDeleted extends MaruError {
  constructor() {
    super('not_found', 'there is no such room');
  }
}

export interface RoomLog {
  append(request: AppendRequest): Promise<AppendResult>;
  /** In order with the appends of this node. */
  act(request: ActRequest): Promise<ActResult>;
  /** `create`: creates a public room that does not exist. */
  read(room: string, reader: Reader, piece: ReadPiece, options?: { create?: boolean }): Promise<ReadResult>;
}
