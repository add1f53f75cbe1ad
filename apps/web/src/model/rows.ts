/** The rows of the message list: messages, acts, day separators and the unread line. Pure. */
import { actOf, type OutgoingMessage } from '@maru/client';
import type { Entry } from '@maru/protocol/events';
import { isShown, type Timeline } from './timeline.ts';

/** Messages of one person within this time are grouped under one name. */
const GROUP_MS = 5 * 60_000;

export type Row =
  | { kind: 'day'; key: string; ts: number }
  | { kind: 'unread'; key: string }
  | { kind: 'message'; key: string; entry: Entry; text: string; isOwn: boolean; continues: boolean }
  | { kind: 'act'; key: string; entry: Entry }
  | { kind: 'outgoing'; key: string; message: OutgoingMessage; continues: boolean };

/** Days of the reader's time zone. */
const dayOf = (ts: number): string => new Date(ts).toDateString();

interface Last {
  day: string;
  ts: number;
  author: string | null;
}

export function rowsOf(timeline: Timeline, ownId: string | null): Row[] {
  const rows: Row[] = [];
  let last: Last = { day: '', ts: 0, author: null };
  for (const entry of timeline.entries) {
    const isAct = actOf(entry) !== null;
    if (!isAct && !isShown(entry)) continue;
    const day = dayOf(entry.ts);
    let author = last.author;
    if (last.day !== day) {
      // A clock that goes back shows the same day twice, and keys must not repeat.
      rows.push({ kind: 'day', key: `day ${keyOf(entry)}`, ts: entry.ts });
      author = null;
    }
    if (entry.seq === timeline.unreadFrom) {
      rows.push({ kind: 'unread', key: 'unread' });
      author = null;
    }
    if (isAct) {
      rows.push({ kind: 'act', key: keyOf(entry), entry });
      last = { day, ts: entry.ts, author: null };
      continue;
    }
    const continues = author === entry.from.id && isNear(entry.ts, last.ts);
    const isOwn = entry.from.id === ownId;
    rows.push({ kind: 'message', key: keyOf(entry), entry, text: entry.text ?? '', isOwn, continues });
    last = { day, ts: entry.ts, author: entry.from.id };
  }
  for (const message of timeline.outgoing) {
    const continues = last.author === ownId && isNear(message.queuedAtMs, last.ts);
    rows.push({ kind: 'outgoing', key: `out ${message.clientMsgId}`, message, continues });
    last = { day: last.day, ts: message.queuedAtMs, author: ownId };
  }
  return rows;
}

/** Clocks may go back. */
const isNear = (ts: number, lastTs: number): boolean => Math.abs(ts - lastTs) < GROUP_MS;

const keyOf = ({ epoch, seq }: Entry): string => `${epoch} ${seq}`;

export type DayWord = { kind: 'today' } | { kind: 'yesterday' } | { kind: 'date'; ts: number };

export function dayWord(ts: number, nowMs: number): DayWord {
  const day = dayOf(ts);
  if (day === dayOf(nowMs)) return { kind: 'today' };
  const yesterday = new Date(nowMs);
  yesterday.setDate(yesterday.getDate() - 1);
  return day === yesterday.toDateString() ? { kind: 'yesterday' } : { kind: 'date', ts };
}
