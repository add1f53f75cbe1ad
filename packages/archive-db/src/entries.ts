/** Entries as the hot log stores them, and the parts of their JSON that the archive reads. */

/** An entry of a room's log. */
export interface LogEntry {
  seq: number;
  /** Milliseconds of the store's clock. */
  ts: number;
  /** Messages up to and including this entry. */
  n: number;
  /** A user id. */
  author: string;
  isMessage: boolean;
  /** Members of JSON: `"n":…,"type":…,"from":…,"clientMsgId":…` */
  head: string;
  /**
   * Members of JSON: `"text":…` or `"data":…`; without a text and with `"erased":true` if
   * erased.
   */
  tail: string;
}

/** The effect of an entry on a message. `seq` belongs to the message. */
export type Concern =
  | { type: 'reply'; seq: number }
  | { type: 'edit'; seq: number; tail: string | undefined }
  | { type: 'delete'; seq: number }
  | { type: 'react'; seq: number; emoji: string; active: boolean }
  | { type: 'pin'; seq: number; active: boolean };

/** A text cannot contain these patterns, because JSON escapes its quotes. */
const CHANGE = /^(?:"n":\d+,)?"type":"message\.(edit|delete|react|pin)"/;
const THREAD = /(?:^|",)"thread":(\d+)/;
const EDITED = /^"data":\{"seq":\d+,(.*)\}$/s;

/** The seq of the thread's root, if the message is a reply. */
export function threadOf(tail: string): number | undefined {
  const seq = THREAD.exec(tail)?.[1];
  return seq === undefined ? undefined : Number(seq);
}

/** Undefined for an entry that concerns no other message. */
export function concernOf(entry: LogEntry): Concern | undefined {
  if (entry.isMessage) {
    const seq = threadOf(entry.tail);
    return seq === undefined ? undefined : { type: 'reply', seq };
  }
  const type = CHANGE.exec(entry.head)?.[1];
  if (type === undefined) return undefined;
  const { data } = JSON.parse(`{${entry.tail}}`) as { data: { seq: number; emoji: string; active: boolean } };
  const { seq, emoji, active } = data;
  switch (type) {
    case 'edit':
      return { type, seq, tail: EDITED.exec(entry.tail)?.[1] };
    case 'react':
      // Neither Redis nor PostgreSQL stores half a character.
      return { type, seq, emoji: emoji.toWellFormed(), active };
    case 'pin':
      return { type, seq, active };
    default:
      return { type: 'delete', seq };
  }
}

/** The text in a tail; undefined if it is erased. */
export const textOf = (tail: string): string | undefined => (JSON.parse(`{${tail}}`) as { text?: string }).text;

/** The rest of a message after its deletion. */
export const erasedMessage = (thread: number | undefined): string =>
  thread === undefined ? '"erased":true' : `"thread":${thread},"erased":true`;

/** The rest of an edit after the deletion of its message. */
export const erasedEdit = (seq: number): string => `"data":{"seq":${seq}},"erased":true`;

/** The number before the dot. A later epoch of a log has a higher one. */
export const epochNumber = (epoch: string): number => Number.parseInt(epoch, 10) || 0;
