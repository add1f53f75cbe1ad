/**
 * The timeline of a room: one contiguous slice of the log, own messages that are not in it yet, and
 * the unread position. Pure. Its size is limited.
 */
import type { OutgoingMessage } from '@maru/client';
import type { Entry } from '@maru/protocol/events';

/** Entries kept while the reader is at the end. */
export const TAIL_ENTRIES_MAX = 500;
/** Entries kept while the reader scrolls up. Beyond them, no older page is loaded. */
export const LOADED_ENTRIES_MAX = 2_000;

/** Why the slice begins here, if the reader should know. */
export type SliceNotice = 'gap' | 'rolled-back' | null;

export interface Timeline {
  readonly entries: readonly Entry[];
  /** The oldest entry on the server; null while unknown. */
  readonly firstKept: number | null;
  readonly notice: SliceNotice;
  /** Own messages that are sending, stored but not arrived, or failed, in the order sent. */
  readonly outgoing: readonly OutgoingMessage[];
  /** The position of the unread line. */
  readonly unreadFrom: number | null;
  /** Messages of others that arrived since the reader stopped reading. */
  readonly unreadCount: number;
}

export const emptyTimeline: Timeline = {
  entries: [],
  firstKept: null,
  notice: null,
  outgoing: [],
  unreadFrom: null,
  unreadCount: 0,
};

/** Entries of unknown types are not shown. */
export const isShown = (entry: Entry): boolean => entry.type === 'text' && entry.text !== undefined;

export interface Reader {
  ownId: string | null;
  /** The end of the list and the page are visible. */
  isReading: boolean;
}

export function append(timeline: Timeline, fresh: readonly Entry[], { ownId, isReading }: Reader): Timeline {
  const last = fresh.at(-1);
  if (last === undefined) return timeline;
  const maxEntries = isReading ? TAIL_ENTRIES_MAX : LOADED_ENTRIES_MAX;
  const entries = [...timeline.entries, ...fresh].slice(-maxEntries);
  const arrived = new Set(fresh.filter(({ from }) => from.id === ownId).map(({ clientMsgId }) => clientMsgId));
  const outgoing = timeline.outgoing.filter(
    ({ clientMsgId, state }) =>
      !arrived.has(clientMsgId) && !(state.kind === 'stored' && state.position.seq <= last.seq),
  );
  const next = { ...timeline, entries, outgoing };
  const others = fresh.filter((entry) => isShown(entry) && entry.from.id !== ownId);
  const firstUnread = others[0];
  if (isReading || firstUnread === undefined) return next;
  const unreadFrom = timeline.unreadCount === 0 ? firstUnread.seq : timeline.unreadFrom;
  return { ...next, unreadFrom, unreadCount: timeline.unreadCount + others.length };
}

/**
 * The reader is at the end again, so older entries may be dropped. The unread line stays as a
 * landmark.
 */
export function readToEnd(timeline: Timeline): Timeline {
  if (timeline.unreadCount === 0 && timeline.entries.length <= TAIL_ENTRIES_MAX) return timeline;
  return { ...timeline, entries: timeline.entries.slice(-TAIL_ENTRIES_MAX), unreadCount: 0 };
}

/** Adds an older page if it continues the slice. Otherwise the page is outdated and is dropped. */
export function prepend(timeline: Timeline, page: { messages: readonly Entry[]; first: number }): Timeline {
  const oldest = timeline.entries[0];
  if (oldest === undefined) return timeline;
  const older = page.messages.filter(({ seq }) => seq < oldest.seq);
  const known = { ...timeline, firstKept: page.first };
  if (older.length === 0 || older.at(-1)?.seq !== oldest.seq - 1) return known;
  return { ...known, notice: null, entries: [...older, ...timeline.entries] };
}

/**
 * The slice ends here, and the next entries begin a new one. In another epoch of the log, the slice
 * is no longer valid.
 */
export function breakOff(timeline: Timeline, reason: 'gap' | 'rolled-back'): Timeline {
  const outgoing = timeline.outgoing.filter(({ state }) => state.kind !== 'stored');
  return { ...timeline, entries: [], notice: reason, outgoing, unreadFrom: null, unreadCount: 0 };
}

export function rollBack(timeline: Timeline, head: number): Timeline {
  const entries = timeline.entries.filter(({ seq }) => seq <= head);
  if (entries.length === 0) return breakOff(timeline, 'rolled-back');
  const outgoing = timeline.outgoing.filter(({ state }) => state.kind !== 'stored');
  const isLineGone = timeline.unreadFrom !== null && timeline.unreadFrom > head;
  return { ...timeline, entries, outgoing, ...(isLineGone ? { unreadFrom: null, unreadCount: 0 } : {}) };
}

/**
 * Updates an own message. A stored one stays until its entry arrives, so that it does not flicker.
 */
export function noteOutgoing(timeline: Timeline, message: OutgoingMessage): Timeline {
  const last = timeline.entries.at(-1);
  const others = timeline.outgoing.filter(({ clientMsgId }) => clientMsgId !== message.clientMsgId);
  if (message.state.kind === 'stored' && last !== undefined && message.state.position.seq <= last.seq) {
    return { ...timeline, outgoing: others };
  }
  const at = timeline.outgoing.findIndex(({ clientMsgId }) => clientMsgId === message.clientMsgId);
  const was = timeline.outgoing[at]?.state.kind;
  // A retried message moves to the end, because it is sent last. Other updates keep its place.
  const keepsPlace = at !== -1 && !(was === 'failed' && message.state.kind === 'sending');
  const outgoing = keepsPlace ? timeline.outgoing.with(at, message) : [...others, message];
  return { ...timeline, outgoing };
}

export const dropOutgoing = (timeline: Timeline, id: string): Timeline => ({
  ...timeline,
  outgoing: timeline.outgoing.filter(({ clientMsgId }) => clientMsgId !== id),
});

export type OlderState = 'more' | 'beginning' | 'oldest-kept' | 'capped';

export function olderState(timeline: Timeline): OlderState {
  const oldest = timeline.entries[0];
  if (oldest === undefined || oldest.seq <= 1) return 'beginning';
  if (timeline.firstKept !== null && oldest.seq <= timeline.firstKept) return 'oldest-kept';
  return timeline.entries.length >= LOADED_ENTRIES_MAX ? 'capped' : 'more';
}
