/**
 * What the store announces on a room's live channel: a header line, then for an entry its body.
 *
 *     1 M <epoch> <seq> <ts> <bytes>\n<body>     a new entry; <bytes> is the body's size in UTF-8
 *     1 E <epoch> <base> 0 0\n                   a new life of the log, which began at <base>
 *
 * Receivers check the header and the size without parsing the body; that nobody else may publish here is the matter
 * of the store's accounts.
 */
export type Announcement =
  | { kind: 'entry'; epoch: string; seq: number; ts: number; body: string }
  | { kind: 'epoch'; epoch: string; base: number };

/** Of an epoch, before and after its dot. */
const LIFE_DIGITS_MAX = 10;
const NONCE_CHARS_MAX = 21;
/** No more than a double holds exactly. */
const NUMBER_DIGITS_MAX = 15;
const BYTES_DIGITS_MAX = 7;
const EPOCH_FROM = 4;

/**
 * The packet, or undefined for anything malformed: the caller drops and counts it. Every message comes by here on every node, so the
 * header is read where it stands, without an expression that would make a string of each part.
 */
export function parseAnnouncement(payload: string): Announcement | undefined {
  const isEntry = payload.startsWith('1 M ');
  if (!isEntry && !payload.startsWith('1 E ')) return undefined;
  // A separator that is missing is at -1, and leaves a part that has no length.
  const epochEnd = payload.indexOf(' ', EPOCH_FROM);
  const seqEnd = payload.indexOf(' ', epochEnd + 1);
  const tsEnd = payload.indexOf(' ', seqEnd + 1);
  const headerEnd = payload.indexOf('\n', tsEnd + 1);
  const seq = readDigits(payload, epochEnd + 1, seqEnd, NUMBER_DIGITS_MAX);
  const ts = readDigits(payload, seqEnd + 1, tsEnd, NUMBER_DIGITS_MAX);
  const bytes = readDigits(payload, tsEnd + 1, headerEnd, BYTES_DIGITS_MAX);
  if (seq < 0 || ts < 0 || bytes < 0 || !isEpoch(payload, EPOCH_FROM, epochEnd)) return undefined;
  const body = payload.slice(headerEnd + 1);
  if (Buffer.byteLength(body) !== bytes) return undefined;
  const epoch = payload.slice(EPOCH_FROM, epochEnd);
  if (!isEntry) return { kind: 'epoch', epoch, base: seq };
  if (!body.endsWith('}')) return undefined;
  return { kind: 'entry', epoch, seq, ts, body };
}

/** The number that the digits from here to there make; -1 where they are none, too many, or something else. */
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

/** Digits, a dot, then small letters and digits. */
function isEpoch(text: string, from: number, to: number): boolean {
  const dot = text.indexOf('.', from);
  if (readDigits(text, from, dot, LIFE_DIGITS_MAX) < 0) return false;
  if (to <= dot + 1 || to - dot - 1 > NONCE_CHARS_MAX) return false;
  for (let at = dot + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code) && !(code >= SMALL_A && code <= SMALL_Z)) return false;
  }
  return true;
}

const ZERO = 0x30;
const SMALL_A = 0x61;
const SMALL_Z = 0x7a;
const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39;
