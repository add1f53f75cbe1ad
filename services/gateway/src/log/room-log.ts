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
  | { outcome: 'conflict'; why: 'id' | 'last_owner' | 'banned' | 'full' | 'not_banned' | 'not_muted' | 'importing' }
  | { outcome: 'forbidden'; why: 'closed' | 'banned' | 'muted' | 'role' | 'rank' | 'self' }
  | { outcome: 'not_found'; what: 'room' | 'user' };

export type ActResult =
  | { outcome: 'stored' | 'duplicate'; epoch: string; seq: number; ts: number; n: number; untilTs: number }
  /** The invited user is a member already. Nothing was stored. */
  | { outcome: 'known' }
  | { outcome: 'refused' }
  | ActRefusal;

/** An entry that concerns earlier messages. See `append-change.lua` for who may do what. */
export type Change =
  /** A message with a thread or mentions. Others are appends. */
  | { type: 'send'; text: string; thread: number | undefined; mentions: readonly string[] | undefined }
  | { type: 'edit'; seq: number; text: string; mentions: readonly string[] | undefined }
  | { type: 'delete'; seq: number; reason: string | undefined }
  | { type: 'react'; seq: number; emoji: string; active: boolean }
  | { type: 'pin'; seq: number; active: boolean };

export interface ChangeRequest {
  room: string;
  userId: string;
  userName: string;
  clientMsgId: string;
  change: Change;
  isAdmin: boolean;
  /**
   * A deletion or a reaction of a user whose data is erased: possible also if the user is no
   * member, or may not write in the room.
   */
  isErasure?: boolean;
  /** As in `AppendRequest`. */
  mayStore: boolean;
}

export type ChangeRefusal =
  /** `edits`, `emoji`, `pins`: the message or the room has the maximum. */
  | { outcome: 'conflict'; why: 'id' | 'edits' | 'emoji' | 'pins' }
  | { outcome: 'forbidden'; why: 'closed' | 'banned' | 'muted' | 'read_only' | 'author' | 'role'; untilTs: number }
  | { outcome: 'not_found'; what: 'room' | 'message' }
  /** A reply to a reply. */
  | { outcome: 'invalid' }
  | { outcome: 'slow'; retryAfterMs: number };

export type ChangeResult =
  /**
   * `mentioned`: users who are mentioned newly and may read the room; `@room` stands for its
   * members. `author`: of the message that was changed.
   */
  | {
      outcome: 'stored';
      epoch: string;
      seq: number;
      ts: number;
      n: number;
      mentioned: string[];
      author: string | undefined;
    }
  | { outcome: 'duplicate'; epoch: string; seq: number; ts: number; n: number }
  /** The message already has this state, so nothing was stored. `seq` is the head. */
  | { outcome: 'unchanged'; epoch: string; seq: number; ts: number; n: number }
  | { outcome: 'refused' }
  | ChangeRefusal;

/** Messages only. `thread` and `pinned` choose some of them. */
export interface MessagesPiece {
  mode: 'newest' | 'before' | 'after' | 'around' | 'at';
  /** With `at` a time: the page has the messages before it and those at or after it. */
  seq: number;
  limit: number;
  thread: number | undefined;
  pinned: boolean;
}

export interface MessagesResult {
  epoch: string;
  head: number;
  /** Ascending, as of `head`. */
  entries: StoredEntry[];
  /** Older ones exist. */
  hasMore: boolean;
  /** Newer ones exist. */
  hasNewer: boolean;
}

/**
 * A user, whose right to see the room is checked, or the node itself, which may read every room.
 */
export type Reader = { userId: string } | 'node';

export type ReadPiece =
  | { mode: 'none' }
  | { mode: 'newest'; limit: number }
  | { mode: 'before' | 'after'; seq: number; limit: number }
  /** As `after`, but as they were appended: what live members got. */
  | { mode: 'appended'; seq: number; limit: number }
  /**
   * All entries after the position; if that gap cannot be closed, the newest `fallbackLimit` and
   * the reason.
   */
  | { mode: 'since'; position: Position; fallbackLimit: number };

/** `first` is the oldest entry that `since` and `appended` can give. */
export interface ReadResult extends RoomState {
  /** The oldest entry in the archive; undefined if there is none. See `oldestOf`. */
  archivedFrom?: number | undefined;
  role: Role | undefined;
  reason: NotRecoveredReason | undefined;
  /**
   * Not every user may read or write. A reader that did not name its user MUST check the right of
   * each user after the read.
   */
  guarded: boolean;
  /** Undefined for the node itself. */
  settings: RoomSettings | undefined;
  /**
   * Ascending. For `since` and `appended` as they were appended; else messages are as they are at
   * the head.
   */
  entries: StoredEntry[];
  /** Messages of `entries` have reactions, whose `mine` depends on the reader. */
  personal: boolean;
}

export interface RoomSettings {
  title: string;
  topic: string;
  readOnly: boolean;
  slowModeS: number;
  /** Undefined if the user is not muted; 0 without an end. */
  mutedUntilTs: number | undefined;
}

/** The oldest entry that clients can read. */
export const oldestOf = ({ first, archivedFrom }: Pick<ReadResult, 'first' | 'archivedFrom'>): number =>
  Math.min(first, archivedFrom ?? first);

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
  /** In order with the appends of this node. */
  change(request: ChangeRequest): Promise<ChangeResult>;
  readMessages(room: string, userId: string, piece: MessagesPiece): Promise<MessagesResult>;
  /** `create`: creates a public room that does not exist. */
  read(room: string, reader: Reader, piece: ReadPiece, options?: { create?: boolean }): Promise<ReadResult>;
}
