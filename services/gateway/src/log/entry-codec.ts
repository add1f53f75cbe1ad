/**
 * The codec of log entries: the only module that knows how an entry is stored, how it is announced,
 * and how clients see it. In all three forms an entry's JSON members after `ts` are the same text,
 * so an entry travels from the append to the sockets without being parsed.
 *
 *     stored      two stream fields: head `"n":…,"type":…,"from":…,"clientMsgId":…` and tail
 *                 `"text":…`, or `"data":…` of an act
 *     announced   1 M <epoch> <seq> <ts> <bytes>\n<head>,<tail>}      a new entry; <bytes> in UTF-8
 *                 1 E <epoch> <base> 0 0\n                            a new epoch that begins at
 *                 <base>
 *                 1 D <epoch> 0 0 0\n                                 the room was deleted
 *                 1 R <epoch> <seq> <ts> <bytes>\n<user>             a user has read up to <seq>
 *     to clients  {"room":…,"epoch":…,"seq":…,"ts":…,<head>,<tail>}
 *
 * The scripts beside this file write the first two forms.
 */
import { type Entry, LIMITS, type RemovalReason } from '@maru/protocol';

/** An entry as the log keeps it. */
export interface StoredEntry {
  seq: number;
  /** Milliseconds of the store's clock. */
  ts: number;
  /** `"n":…,"type":…,"from":…,"clientMsgId":…`; entries of earlier releases have no `n` */
  head: string;
  /** `"text":…` or, for other types, `"data":…` */
  tail: string;
}

/** What the append script publishes on a room's channel. `body` is the end of the client's JSON. */
export type Announcement =
  | { kind: 'entry'; epoch: string; seq: number; ts: number; body: string }
  | { kind: 'epoch'; epoch: string; base: number }
  /** A user has read up to `seq`. */
  | { kind: 'receipt'; epoch: string; seq: number; user: string }
  /**
   * `epoch` belongs to the mark of the deletion: it is later than the deleted room's, and earlier
   * than that of a new room.
   */
  | { kind: 'deleted'; epoch: string };

/** The user whom an entry removes from its room. */
export interface Removal {
  /** A user id. Undefined means all members. */
  user: string | undefined;
  reason: RemovalReason;
}

/** The members of an entry that the sender decides. The store adds `seq`, `ts` and `n`. */
export interface Sender {
  userId: string;
  userName: string;
  clientMsgId: string | undefined;
}

export function encodeHead(type: string, { userId, userName, clientMsgId }: Sender): string {
  const head = `"type":"${type}","from":${JSON.stringify({ id: userId, name: userName })}`;
  return clientMsgId === undefined ? head : `${head},"clientMsgId":${JSON.stringify(clientMsgId)}`;
}

export const encodeText = (text: string): string => `"text":${JSON.stringify(text)}`;

/** The members of an object without its braces, as the append scripts take `data`. */
export const encodeMembers = (data: object): string => JSON.stringify(data).slice(1, -1);

/** Composes a client's JSON. Room and epoch need no escaping: their characters are restricted. */
export function entryJson(room: string, epoch: string, seq: number, ts: number, body: string): string {
  return `{"room":"${room}","epoch":"${epoch}","seq":${seq},"ts":${ts},${body}`;
}

/** The same as `entryJson` for an entry that was read from the log. */
export function storedEntryJson(room: string, epoch: string, entry: StoredEntry): string {
  return entryJson(room, epoch, entry.seq, entry.ts, bodyOf(entry));
}

/** The end of a client's JSON. */
export const bodyOf = ({ seq, head, tail }: StoredEntry): string => withN(seq, `${head},${tail}}`);

const N_START = '"n":';

/** Nodes of earlier releases store and announce entries without `n`: all of them are messages. */
const withN = (seq: number, body: string): string => (body.startsWith(N_START) ? body : `${N_START}${seq},${body}`);

const TYPE_START = '"type":"';
/** Entry types of acts begin so. Messages, the common case, are recognised without parsing. */
const ACT_TYPE_START = '"type":"room.';
const DELETION_TYPE = '"type":"message.delete"';

/** Messages up to and including an entry. `body` is what follows `ts` in a client's JSON. */
export const nOf = (body: string): number => Number.parseInt(body.slice(N_START.length), 10);

/** The meaning of an act or a deletion for delivery. */
export type ActEffect =
  /** An act on the room or a member, which may change the rights of users. */
  | { type: 'act'; removal: Removal | undefined }
  /** The text of an earlier message, and of its edits, MUST NOT be delivered any more. */
  | { type: 'erasure' };

/** Undefined for other entries. */
export function actOf(body: string): ActEffect | undefined {
  const typeAt = body.indexOf(TYPE_START);
  if (body.startsWith(DELETION_TYPE, typeAt)) return ERASURE;
  if (!body.startsWith(ACT_TYPE_START, typeAt)) return undefined;
  const { type, data } = JSON.parse(`{${body}`) as { type: string; data: ActSubject };
  return { type: 'act', removal: removalOf(type, data) };
}

const ERASURE = { type: 'erasure' } as const;

interface ActSubject {
  user?: string;
  closed?: boolean;
}

function removalOf(type: string, data: ActSubject): Removal | undefined {
  switch (type) {
    case 'room.kick':
      return { user: data.user, reason: 'kicked' };
    case 'room.ban':
      return { user: data.user, reason: 'banned' };
    case 'room.leave':
      return { user: data.user, reason: 'left' };
    case 'room.update':
      return data.closed === true ? { user: undefined, reason: 'closed' } : undefined;
    default:
      return undefined;
  }
}

export function toEntry(room: string, epoch: string, entry: StoredEntry): Entry {
  return JSON.parse(storedEntryJson(room, epoch, entry)) as Entry;
}

/** The size of entries in characters of JSON. */
export const sizeOf = (entries: StoredEntry[]): number =>
  entries.reduce((sum, entry) => sum + entry.head.length + entry.tail.length, 0);

/**
 * Decodes the entries of a read: the script returns the lines seq, ts, head and tail of each, in
 * one text. JSON has no line feed.
 */
export function decodeStoredEntries(packed: string): StoredEntry[] {
  if (packed === '') return [];
  const lines = packed.split('\n');
  const entries: StoredEntry[] = [];
  for (let at = 0; at < lines.length; at += 4)
    entries.push({
      seq: Number(lines[at]),
      ts: Number(lines[at + 1]),
      head: lines[at + 2] as string,
      tail: lines[at + 3] as string,
    });
  return entries;
}

/** The number before the dot. A later epoch of a log has a higher one. */
export const epochNumber = (epoch: string): number => Number.parseInt(epoch, 10) || 0;

/** Digits of an epoch's number, and characters of its random part. */
const EPOCH_DIGITS_MAX = 10;
const EPOCH_RANDOM_CHARS_MAX = 21;
/** A double holds every number of 15 digits exactly. */
const NUMBER_DIGITS_MAX = 15;
const BYTES_DIGITS_MAX = 7;
const KIND_AT = 2;
const EPOCH_START = 4;
const KINDS = ['1 E ', '1 D ', '1 R '];

/**
 * Returns undefined for a malformed announcement; the caller drops and counts it. Redis accounts
 * keep others from publishing here. Every node parses every message of its rooms, so this reads the
 * header in place: a regular expression would allocate a string for each part.
 */
export function parseAnnouncement(payload: string): Announcement | undefined {
  const isEntry = payload.startsWith('1 M ');
  const kind = isEntry ? 'M' : payload[KIND_AT];
  if (!isEntry && !KINDS.includes(payload.slice(0, EPOCH_START))) return undefined;
  // A missing separator is at -1, which makes an empty part. Empty parts are malformed.
  const epochEnd = payload.indexOf(' ', EPOCH_START);
  const seqEnd = payload.indexOf(' ', epochEnd + 1);
  const tsEnd = payload.indexOf(' ', seqEnd + 1);
  const headerEnd = payload.indexOf('\n', tsEnd + 1);
  const seq = readDigits(payload, epochEnd + 1, seqEnd, NUMBER_DIGITS_MAX);
  const ts = readDigits(payload, seqEnd + 1, tsEnd, NUMBER_DIGITS_MAX);
  const bytes = readDigits(payload, tsEnd + 1, headerEnd, BYTES_DIGITS_MAX);
  if (seq < 0 || ts < 0 || bytes < 0 || !isEpoch(payload, EPOCH_START, epochEnd)) return undefined;
  const body = payload.slice(headerEnd + 1);
  if (Buffer.byteLength(body) !== bytes) return undefined;
  const epoch = payload.slice(EPOCH_START, epochEnd);
  if (kind === 'D') return { kind: 'deleted', epoch };
  if (kind === 'E') return { kind: 'epoch', epoch, base: seq };
  if (kind === 'R') {
    const isUser = body.length > 0 && body.length <= LIMITS.userIdCharsMax;
    return isUser ? { kind: 'receipt', epoch, seq, user: body } : undefined;
  }
  if (!body.endsWith('}')) return undefined;
  return { kind: 'entry', epoch, seq, ts, body: withN(seq, body) };
}

/** The number in text[from, to); -1 unless it consists of 1 to `digitsMax` digits. */
function readDigits(text: string, from: number, to: number, digitsMax: number): number {
  if (to <= from || to - from > digitsMax) return -1;
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - ZERO;
  }
  return value;
}

/** Digits, a dot, then lower-case letters and digits. */
function isEpoch(text: string, from: number, to: number): boolean {
  const dot = text.indexOf('.', from);
  if (readDigits(text, from, dot, EPOCH_DIGITS_MAX) < 0) return false;
  if (to <= dot + 1 || to - dot - 1 > EPOCH_RANDOM_CHARS_MAX) return false;
  for (let at = dot + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code) && !(code >= LETTER_A && code <= LETTER_Z)) return false;
  }
  return true;
}

const ZERO = 0x30;
const LETTER_A = 0x61;
const LETTER_Z = 0x7a;
const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39;
