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

/** Days of the reader's time zone. */
const dayOf = (ts: number): string => new Date(ts).toDateString();

interface Last {
  day: string;
  ts: number;
  author: string | null;
}

/** `acts`: ascending. Those outside the part of the room that `source` shows are left out. */
export function rowsOf(source: RowSource, acts: readonly Entry[], ownId: string | null): Row[] {
  const rows: Row[] = [];
  let last: Last = { day: '', ts: 0, author: null };
  for (const item of merge(source, acts)) {
    const day = dayOf(item.ts);
    let author = last.author;
    if (last.day !== day) {
      // A clock that goes back shows the same day twice, and keys must not repeat.
      rows.push({ kind: 'day', key: `day ${item.seq}`, ts: item.ts });
      author = null;
    }
    if (item.seq === source.unreadLine) {
      rows.push({ kind: 'unread', key: 'unread' });
      author = null;
    }
    if ('type' in item) {
      rows.push({ kind: 'act', key: String(item.seq), entry: item });
      last = { day, ts: item.ts, author: null };
      continue;
    }
    const continues = author === item.from.id && isNear(item.ts, last.ts) && item.thread === null;
    rows.push({ kind: 'message', key: String(item.seq), message: item, isOwn: item.from.id === ownId, continues });
    last = { day, ts: item.ts, author: item.from.id };
  }
  // They come after the newest message, which is not shown here.
  if (source.hasNewer) return rows;
  for (const message of source.outgoing) {
    const continues = last.author === ownId && isNear(message.queuedAtMs, last.ts) && message.thread === undefined;
    rows.push({ kind: 'outgoing', key: `out ${message.clientMsgId}`, message, continues });
    last = { day: last.day, ts: message.queuedAtMs, author: ownId };
  }
  return rows;
}

function merge({ messages, hasOlder, hasNewer }: RowSource, acts: readonly Entry[]): Array<Message | Entry> {
  const from = hasOlder ? (messages[0]?.seq ?? 0) : 0;
  const to = hasNewer ? (messages.at(-1)?.seq ?? 0) : Number.POSITIVE_INFINITY;
  const shown = acts.filter(({ seq }) => seq >= from && seq <= to);
  return shown.length === 0 ? [...messages] : [...messages, ...shown].sort((a, b) => a.seq - b.seq);
}

/** Clocks may go back. */
const isNear = (ts: number, lastTs: number): boolean => Math.abs(ts - lastTs) < GROUP_MS;

export type DayWord = { kind: 'today' } | { kind: 'yesterday' } | { kind: 'date'; ts: number };

export function dayWord(ts: number, nowMs: number): DayWord {
  const day = dayOf(ts);
  if (day === dayOf(nowMs)) return { kind: 'today' };
  const yesterday = new Date(nowMs);
  yesterday.setDate(yesterday.getDate() - 1);
  return day === yesterday.toDateString() ? { kind: 'yesterday' } : { kind: 'date', ts };
}
