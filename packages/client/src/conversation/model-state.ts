/** State, inputs and reads of the model of a room. */
import type { Entry, MessagesData } from '@maru/protocol/events';
import type { KnownMessage } from './message.ts';

/** `before`, `after`: number of messages to keep on each side of the reading position. */
export interface WindowLimits {
  readonly max: number;
  readonly before: number;
  readonly after: number;
  /**
   * At the end of the room, the number of messages to keep above the screen once `before` and
   * `after` are exceeded.
   */
  readonly rest: number;
  /** If fewer messages are known at the end of the room, older ones are read automatically. */
  readonly wanted: number;
}

/** More than any screen shows, but few enough for a page to render. */
export const WINDOW_LIMITS: WindowLimits = { max: 400, before: 100, after: 200, rest: 80, wanted: 20 };
export const THREAD_MESSAGES_MAX = 500;
export const RECENT_ENTRIES_MAX = 1_000;

/** A contiguous part of the room or a thread: all messages from `from` to `to` are known. */
export interface Slice {
  readonly from: number;
  /** Null if it extends to the room's end and follows it. */
  readonly to: number | null;
  readonly hasOlder: boolean;
}

/**
 * Where to place the window: around a message, at the first message since a time, at the first
 * message of others after a message, or at the end.
 */
export type Target = number | { readonly at: number } | { readonly after: number } | 'newest';

/** `isLine`: the message is the first one below the unread line. */
export interface Place {
  readonly seq: number;
  readonly isLine: boolean;
}

export interface ThreadState {
  /** Null until it is read. */
  readonly slice: Slice | null;
  /** The server does not have the root. */
  readonly isMissing: boolean;
}

export interface RoomModel {
  readonly ownId: string;
  readonly limits: WindowLimits;
  /** Increases with each restart. Answers to reads of an earlier generation are ignored. */
  readonly generation: number;
  readonly epoch: string | null;
  /** The newest delivered entry. Null if unknown. */
  readonly position: number | null;
  /** The newest entry, and the number of messages up to it, as far as known. */
  readonly head: number;
  /** 0 until an entry or an answer provides it. */
  readonly n: number;
  readonly messages: ReadonlyMap<number, KnownMessage>;
  /** The shown part of the room; null until it is known. */
  readonly window: Slice | null;
  /** Read the window again at this place. Null: it stays. */
  readonly target: Target | null;
  /** The target of the last jump. Each jump creates a new object. */
  readonly place: Place | null;
  /** Where the user reads. Messages far from it are dropped first. Null at the end. */
  readonly focus: number | null;
  readonly threads: ReadonlyMap<number, ThreadState>;
  /** `before`: the pinned messages must be read from there downwards. Null: from the newest. */
  readonly pins: 'closed' | 'known' | { readonly before: number | null };
  /** Number of reads in flight, and the entries since the first of them started. */
  readonly reads: number;
  readonly recent: ReadonlyArray<{ readonly entry: Entry; readonly readAt: number | undefined }>;
  /** `recent` has every delivered entry above this `seq`. */
  readonly recentAfter: number;
}

/** The parameters of `messages:read`. */
export type Read =
  | { kind: 'newest' }
  | { kind: 'around' | 'one'; seq: number }
  | { kind: 'at'; ts: number }
  | { kind: 'older' | 'newer'; seq: number }
  | { kind: 'pins'; before: number | null }
  | { kind: 'thread'; root: number; before: number | null };

export type ModelInput =
  /** The position of the delivered entries, if no delivery has set it. */
  | { type: 'at'; epoch: string; seq: number }
  /** `readAt`: the messages are as of this head. Without it, they are in their original form. */
  | { type: 'entries'; entries: readonly Entry[]; readAt?: number | undefined }
  /** The next entries do not continue the delivered ones. */
  | { type: 'gap' }
  | { type: 'rollback'; epoch: string; head: number }
  | { type: 'asked' }
  /** `generation`: the model's generation at the time of the request. */
  | { type: 'answered'; generation: number; read: Read; data: MessagesData }
  /** `read`: the read is given up. Without it, it is tried again. */
  | { type: 'failed'; generation: number; read?: Read }
  /** The server has no message with this seq. */
  | { type: 'missing'; generation: number; seq: number }
  | { type: 'jump'; to: Target }
  /** `at`: the first message on the screen. `isAtEnd`: the newest one is on the screen too. */
  | { type: 'look'; at: number | null; isAtEnd: boolean }
  | { type: 'open-thread' | 'close-thread'; root: number }
  | { type: 'open-pins' | 'close-pins' };

/** A mutable copy of a model. */
export interface Draft extends Writable<Omit<RoomModel, 'messages'>> {
  messages: Map<number, KnownMessage>;
}
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const isIn = (slice: Slice | null | undefined, seq: number): boolean =>
  slice != null && seq >= slice.from && (slice.to === null || seq <= slice.to);

/** Whether the window contains the message. */
export const isInWindow = ({ window }: Pick<RoomModel, 'window'>, seq: number): boolean => isIn(window, seq);

/** Whether the shown part of the thread contains the reply. */
export const isInThread = (
  { threads }: Pick<RoomModel, 'threads'>,
  root: number,
  { seq, thread }: { seq: number; thread?: number | null },
): boolean => thread === root && isIn(threads.get(root)?.slice, seq);

/** Whether an open part contains the message. */
export function isShown(
  model: Pick<RoomModel, 'window' | 'threads' | 'pins'>,
  message: { seq: number; thread?: number | null; pinned?: boolean },
): boolean {
  const { seq, thread, pinned } = message;
  if (isInWindow(model, seq) || model.threads.has(seq)) return true;
  if (thread != null && isInThread(model, thread, message)) return true;
  return pinned === true && model.pins !== 'closed';
}
