/**
 * What the store announces on a room's live channel: a header line, then for an entry its body.
 *
 *     1 M <epoch> <seq> <ts> <bytes>\n<body>     a new entry; <bytes> is the body's size in UTF-8
 *     1 E <epoch> <base> 0 0\n                   a new life of the log, which began at <base>
 *
 * Receivers check the header and the size without parsing the body; that nobody else may publish here is the matter
 * of the store's accounts.
 */
export type LiveFrame =
  | { kind: 'entry'; epoch: string; seq: number; ts: number; body: string }
  | { kind: 'epoch'; epoch: string; base: number };

const HEADER = /^1 ([ME]) (\d{1,10}\.[a-z0-9]{1,21}) (\d{1,15}) (\d{1,15}) (\d{1,7})$/;
const HEADER_CHARS_MAX = 96;

/** The frame, or undefined for anything malformed: the caller drops and counts it. */
export function parseLiveFrame(payload: string): LiveFrame | undefined {
  const end = payload.indexOf('\n');
  if (end < 0 || end > HEADER_CHARS_MAX) return undefined;
  const match = HEADER.exec(payload.slice(0, end));
  if (match === null) return undefined;
  const [, kind, epoch, seq, ts, bytes] = match as unknown as [string, 'M' | 'E', string, string, string, string];
  const body = payload.slice(end + 1);
  if (Buffer.byteLength(body) !== Number(bytes)) return undefined;
  if (kind === 'E') return { kind: 'epoch', epoch, base: Number(seq) };
  if (!body.endsWith('}')) return undefined;
  return { kind: 'entry', epoch, seq: Number(seq), ts: Number(ts), body };
}
