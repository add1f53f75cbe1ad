/**
 * The part of a room's log that is in Redis, and what it knows about the archive. As a `RoomLog` it
 * does not know the archive: for it, a message that has left the log does not exist.
 */
import type { StoredEntry } from './entry-codec.ts';
import type {
  ChangeRequest,
  ChangeResult,
  MessagesPiece,
  MessagesResult,
  Reader,
  ReadPiece,
  ReadResult,
  RoomLog,
} from './room-log.ts';

/**
 * Bytes of one page. A read must delay neither the store nor the connection that gets the answer.
 */
export const PAGE_BYTES_MAX = 1_048_576;

/** The facts against which a change of an archived message is checked. See `append-change.lua`. */
export interface MessageFacts {
  /**
   * The newest change that the facts include. '' if none of the kept entries concerns the message.
   */
  expected: string;
  author: string;
  thread: number | undefined;
  deleted: boolean;
  edits: number[];
  mentions: string[];
  emoji: number;
  hasEmoji: boolean;
  active: boolean;
  pinned: boolean;
}

/** `archived`: the change needs facts. `retry`: the facts are outdated. Nothing was stored. */
export type HotChangeResult = ChangeResult | { outcome: 'archived' | 'retry' };

/** The changes to read: those after a seq that concern archived messages. */
export interface LateWanted {
  after: number;
  targets: readonly number[];
  /** The replies to an archived root in the archive, ascending. Some may also be in the log. */
  replies?: readonly number[];
}

/** An entry that concerns a message which has left the log. */
export interface LateChange extends StoredEntry {
  /** Messages up to and including it. */
  n: number;
  author: string;
  isMessage: boolean;
}

export interface HotState {
  /** The oldest seq that the log keeps. */
  first: number;
  /** The newest and the oldest seq in the archive. 0 if it is empty. */
  archived: number;
  archivedFrom: number;
  /** In log order. Undefined if there are too many. */
  late: LateChange[] | undefined;
}

export type HotRead = ReadResult & HotState;

export interface HotMessages extends MessagesResult, HotState {
  /** The root, or the message around which to read, has left the log. The page is empty. */
  isArchived: boolean;
  /** The last seq of the older half of the page. */
  center: number;
  /** Pinned messages that have left the log. */
  pins: number[];
}

/** What the log knows about a message that has left it. */
export interface LateState {
  epoch: string;
  head: number;
  first: number;
  /** The newest kept change of the message; '' if there is none. */
  newest: string;
  late: LateChange[] | undefined;
}

export interface HotLog extends RoomLog {
  /** Like `read`. The results of both have one moment. */
  readHot(
    room: string,
    reader: Reader,
    piece: ReadPiece,
    options?: { create?: boolean; late?: LateWanted },
  ): Promise<HotRead>;
  /** Like `readMessages`, of the log only. */
  readMessagesHot(room: string, userId: string, piece: MessagesPiece, late?: LateWanted): Promise<HotMessages>;
  readLate(room: string, seq: number, after: number): Promise<LateState>;
  /**
   * Like `change`, but also for a message that has left the log. `ask`: the facts are not known
   * yet.
   */
  changeArchived(request: ChangeRequest, facts: MessageFacts | 'ask'): Promise<HotChangeResult>;
}
