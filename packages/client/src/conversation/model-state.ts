/** What the model of a room holds, takes and asks for. */
import type { Entry, MessagesData } from '@maru/protocol/events';
import type { KnownMessage } from './message.ts';

/** `before`, `after`: messages that stay on each side of where the user reads. */
export interface WindowLimits {
  readonly max: number;
  readonly before: number;
  readonly after: number;
  /**
   * At the end of the room, so many stay above the screen once `before` and `after` are exceeded.
   */
  readonly rest: number;
  /** With fewer messages at the end of the room, older ones are read without being asked for. */
  readonly wanted: number;
}

/** More than any screen shows at once, and little enough for a page to draw. */
export const WINDOW_LIMITS: WindowLimits = { max: 400, before: 100, after: 200, rest: 80, wanted: 20 };
export const THREAD_MESSAGES_MAX = 500;
export const RECENT_ENTRIES_MAX = 1_000;

/** A part of the room, or of a thread: every message from `from` to `to` is known. */
export interface Slice {
  readonly from: number;
  /** Null: it follows the room's end. */
  readonly to: number | null;
  readonly hasOlder: boolean;
}

/**
 * Where the window is to be placed: around a message, at the first one since a time, at the first
 * one of others after a message, or at the end.
 */
export type Target = number | { readonly at: number } | { readonly after: number } | 'newest';

/** `isLine`: it is the first one below the line above unread messages. */
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
  /** Counts how often it began anew. Answers to reads of an earlier generation are not used. */
  readonly generation: number;
  readonly epoch: string | null;
  /** The newest entry that was delivered; null if that is unknown. */
  readonly position: number | null;
  /** The newest entry, and messages up to it, as far as known. */
  readonly head: number;
  /** 0 until an entry or an answer tells it. */
  readonly n: number;
  readonly messages: ReadonlyMap<number, KnownMessage>;
  /** The shown part of the room; null until it is known. */
  readonly window: Slice | null;
  /** The window is to be read anew there; null: it stays. */
  readonly target: Target | null;
  /** The message to which the last jump led. Each jump makes a new object. */
  readonly place: Place | null;
  /** Where the user reads: messages far from it are dropped first. Null: at the end. */
  readonly focus: number | null;
  readonly threads: ReadonlyMap<number, ThreadState>;
  /** `before`: the pinned messages have to be read, from there downwards; null: from the newest. */
  readonly pins: 'closed' | 'known' | { readonly before: number | null };
  /** Reads in flight, and the entries since the first of them was asked. */
  readonly reads: number;
  readonly recent: readonly Entry[];
  /** Every entry above this `seq` that was delivered is in `recent`. */
  readonly recentAfter: number;
}

/** What is asked of `messages:read`. */
export type Read =
  | { kind: 'newest' }
  | { kind: 'around' | 'one'; seq: number }
  | { kind: 'at'; ts: number }
  | { kind: 'older' | 'newer'; seq: number }
  | { kind: 'pins'; before: number | null }
  | { kind: 'thread'; root: number; before: number | null };

export type ModelInput =
  /** Where the delivered entries end, if no delivery has told it. */
  | { type: 'at'; epoch: string; seq: number }
  /** `readAt`: the messages are as of this head. Without it they are as they were appended. */
  | { type: 'entries'; entries: readonly Entry[]; readAt?: number | undefined }
  /** What follows does not continue what was delivered. */
  | { type: 'gap' }
  | { type: 'rollback'; epoch: string; head: number }
  | { type: 'asked' }
  /** `generation`: that of the model when it was asked. */
  | { type: 'answered'; generation: number; read: Read; data: MessagesData }
  /** `read`: it is given up. Without it, it is tried again. */
  | { type: 'failed'; generation: number; read?: Read }
  /** The read of one message found nothing. */
  | { type: 'missing'; generation: number; seq: number }
  | { type: 'jump'; to: Target }
  /** The first message on the screen; `isAtEnd`: and the newest one. */
  | { type: 'look'; at: number | null; isAtEnd: boolean }
  | { type: 'open-thread' | 'close-thread'; root: number }
  | { type: 'open-pins' | 'close-pins' };

/** A model while it is changed. */
export interface Draft extends Writable<Omit<RoomModel, 'messages'>> {
  messages: Map<number, KnownMessage>;
}
type Writable<T> = { -readonly [K in keyof T]: T[K] };

const isIn = (slice: Slice | null | undefined, seq: number): boolean =>
  slice != null && seq >= slice.from && (slice.to === null || seq <= slice.to);

/** Whether the shown part of the room has the message. */
export const isInWindow = ({ window }: Pick<RoomModel, 'window'>, seq: number): boolean => isIn(window, seq);

/** Whether the shown part of the thread has the reply. */
export const isInThread = (
  { threads }: Pick<RoomModel, 'threads'>,
  root: number,
  { seq, thread }: { seq: number; thread?: number | null },
): boolean => thread === root && isIn(threads.get(root)?.slice, seq);

/** Whether a part that is open has the message. */
export function isShown(
  model: Pick<RoomModel, 'window' | 'threads' | 'pins'>,
  message: { seq: number; thread?: number | null; pinned?: boolean },
): boolean {
  const { seq, thread, pinned } = message;
  if (isInWindow(model, seq) || model.threads.has(seq)) return true;
  if (thread != null && isInThread(model, thread, message)) return true;
  return pinned === true && model.pins !== 'closed';
}
