/** The rows of the message list: messages, acts, day separators and the unread line. Pure. */
import type { OutgoingMessage } from '@maru/client';
import type { ConversationView, Message } from '@maru/client/conversation';
import type { Entry } from '@maru/protocol/events';

/** Messages of one person within this time are grouped under one name. */
const GROUP_MS = 5 * 60_000;

export type Row =
  | { kind: 'day'; key: string; ts: number }
  | { kind: 'unread'; key: string }
  | { kind: 'message'; key: string; message: Message; isOwn: boolean; continues: boolean }
  | { kind: 'act'; key: string; entry: Entry }
  | { kind: 'outgoing'; key: string; message: OutgoingMessage; continues: boolean };

export type RowSource = Pick<ConversationView, 'messages' | 'outgoing' | 'hasOlder' | 'hasNewer'> &
  Partial<Pick<ConversationView, 'unreadLine'>>;

/** The day in the reader's time zone. */
const dayOf = (ts: number): string => new Date(ts).toDateString();

interface Last {
  day: string;
  ts: number;
  author: string | null;
}

/**
 * `acts`: ascending; acts outside the loaded part of the room are omitted. `was`: the previous
 * rows. Their grouping stays, because the clocks of the store and the device differ.
 */
export function rowsOf(
  source: RowSource,
  acts: readonly Entry[],
  ownId: string | null,
  was: readonly Row[] = [],
): Row[] {
  const rows = new RowList(source, ownId, was);
  for (const item of merge(source, acts)) rows.add(item);
  // Unsent messages follow the newest message, so they are shown only if it is loaded.
  if (!source.hasNewer) for (const message of source.outgoing) rows.addOutgoing(message);
  return rows.rows;
}

/** The key of an own message stays the same when it is stored, so the row keeps its element. */
const ownKey = (clientMsgId: string): string => `own ${clientMsgId}`;

class RowList {
  readonly rows: Row[] = [];
  readonly #source: RowSource;
  readonly #ownId: string | null;
  readonly #keys = new Set<string>();
  readonly #groups: ReadonlyMap<string, Group>;
  #last: Last = { day: '', ts: 0, author: null };

  constructor(source: RowSource, ownId: string | null, was: readonly Row[]) {
    this.#source = source;
    this.#ownId = ownId;
    this.#groups = groupsOf(was);
  }

  add(item: Message | Entry): void {
    const key = this.#keyOf(item);
    this.#keys.add(key);
    this.#separate(item.ts, key);
    if (item.seq === this.#source.unreadLine) this.#push({ kind: 'unread', key: 'unread' });
    if ('type' in item) {
      this.#push({ kind: 'act', key, entry: item });
      this.#last = { ...this.#last, ts: item.ts };
      return;
    }
    const isOwn = item.from.id === this.#ownId;
    const continues = this.#continues(key, { author: item.from.id, ts: item.ts, isReply: item.thread !== null });
    this.rows.push({ kind: 'message', key, message: item, isOwn, continues });
    this.#last = { ...this.#last, ts: item.ts, author: item.from.id };
  }

  addOutgoing(message: OutgoingMessage): void {
    const key = ownKey(message.clientMsgId);
    // The message is already stored, and a page has brought it.
    if (this.#keys.has(key)) return;
    const ts = message.queuedAtMs;
    if (ts > this.#last.ts) this.#separate(ts, key);
    const continues = this.#continues(key, { author: this.#ownId, ts, isReply: message.thread !== undefined });
    this.rows.push({ kind: 'outgoing', key, message, continues });
    this.#last = { ...this.#last, ts, author: this.#ownId };
  }

  /** A client may reuse an id after the server has forgotten it, but keys must be unique. */
  #keyOf(item: Message | Entry): string {
    if ('type' in item || item.clientMsgId === null || item.from.id !== this.#ownId) return String(item.seq);
    const key = ownKey(item.clientMsgId);
    return this.#keys.has(key) ? String(item.seq) : key;
  }

  /** If the clock goes back, a day can appear twice, so the key is not the day. */
  #separate(ts: number, key: string): void {
    const day = dayOf(ts);
    if (this.#last.day !== day) this.#push({ kind: 'day', key: `day ${key}`, ts });
    this.#last = { ...this.#last, day };
  }

  /** Adds a row after which the next message shows its author. */
  #push(row: Row): void {
    this.rows.push(row);
    this.#last = { ...this.#last, author: null };
  }

  #continues(key: string, { author, ts, isReply }: { author: string | null; ts: number; isReply: boolean }): boolean {
    const known = this.#groups.get(key);
    if (known !== undefined && known.above === this.rows.at(-1)?.key) return known.continues;
    return this.#last.author === author && isNear(ts, this.#last.ts) && !isReply;
  }
}

/** Whether an own message continued a group, and which row was above it. */
interface Group {
  above: string | undefined;
  continues: boolean;
}

function groupsOf(rows: readonly Row[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const [i, row] of rows.entries()) {
    const isOwn = row.kind === 'outgoing' || (row.kind === 'message' && row.isOwn);
    if (isOwn) groups.set(row.key, { above: rows[i - 1]?.key, continues: row.continues });
  }
  return groups;
}

function merge({ messages, hasOlder, hasNewer }: RowSource, acts: readonly Entry[]): Array<Message | Entry> {
  const from = hasOlder ? (messages[0]?.seq ?? 0) : 0;
  const to = hasNewer ? (messages.at(-1)?.seq ?? 0) : Number.POSITIVE_INFINITY;
  const shown = acts.filter(({ seq }) => seq >= from && seq <= to);
  return shown.length === 0 ? [...messages] : [...messages, ...shown].sort((a, b) => a.seq - b.seq);
}

/** Compares absolute values, because a clock may go back. */
const isNear = (ts: number, lastTs: number): boolean => Math.abs(ts - lastTs) < GROUP_MS;

export type DayWord = { kind: 'today' } | { kind: 'yesterday' } | { kind: 'date'; ts: number };

export function dayWord(ts: number, nowMs: number): DayWord {
  const day = dayOf(ts);
  if (day === dayOf(nowMs)) return { kind: 'today' };
  const yesterday = new Date(nowMs);
  yesterday.setDate(yesterday.getDate() - 1);
  return day === yesterday.toDateString() ? { kind: 'yesterday' } : { kind: 'date', ts };
}
