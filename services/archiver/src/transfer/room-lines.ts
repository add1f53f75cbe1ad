/**
 * Converts the lines of a room's file to entries. Pure. It refuses lines that the room log could
 * not contain.
 */
import type { LogEntry } from '@maru/archive-db';
import { MaruError, parsePayload } from '@maru/protocol';
import { type Header, headerLine, type Line, lineSchemaOf } from './line-schemas.ts';

/** The name of a user without a name in the file is the id, cut to this length. */
const NAME_CHARS_MAX = 64;
/** Tolerates a small difference between clocks. */
const FUTURE_MS = 60_000;

export class LineError extends Error {
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
  }
}

export class RoomLines {
  #header: Header | undefined;
  #lines = 0;
  #lastTs = 0;
  #n = 0;
  /** Undefined until the first entry. */
  #first: { seq: number; isGiven: boolean } | undefined;
  #entries = 0;
  #endsErased = false;
  readonly #nowMs: number;

  constructor(options: { nowMs: number }) {
    this.#nowMs = options.nowMs;
  }

  get header(): Header | undefined {
    return this.#header;
  }

  /** The seq of the first entry. 1 if there is none. */
  get first(): number {
    return this.#first?.seq ?? 1;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Undefined for the header and for an empty line. Throws a `LineError`. */
  add(text: string): LogEntry | undefined {
    this.#lines++;
    if (text.trim() === '') return undefined;
    try {
      const value = objectOf(text);
      if ('format' in value) {
        if (this.#entries > 0 || this.#header !== undefined)
          throw new MaruError('invalid', 'format: the header is the first line');
        this.#header = parsePayload(headerLine, value);
        return undefined;
      }
      return this.#entryOf(parsePayload(lineSchemaOf(value), value));
    } catch (error) {
      if (error instanceof MaruError) throw new LineError(this.#lines, error.message);
      throw error;
    }
  }

  /** Call it after the last line. Throws a `LineError`. */
  end(): void {
    if (this.#entries === 0) throw new LineError(this.#lines, 'there is no entry');
    if (this.#endsErased) throw new LineError(this.#lines, 'erased: the newest entry cannot be erased');
  }

  #entryOf(line: Line): LogEntry {
    const seq = this.#seqOf(line.seq);
    const ts = this.#tsOf(line.ts);
    const isMessage = line.type === 'text';
    checkTarget(line, seq);
    this.#lastTs = ts;
    this.#entries++;
    if (isMessage) this.#n++;
    this.#endsErased = 'erased' in line && line.erased === true;
    const { id, name = id.slice(0, NAME_CHARS_MAX) } = line.from;
    // Acts need no client message id.
    const clientMsgId = line.clientMsgId ?? ('data' in line && !isChange(line) ? undefined : `import-${seq}`);
    const head = `"n":${this.#n},${members({ type: line.type, from: { id, name }, clientMsgId })}`;
    return { seq, ts, n: this.#n, author: id, isMessage, head, tail: tailOf(line) };
  }

  /** In the log of a room the clock of its store may have been set back, or may be ahead. */
  #tsOf(given: number): number {
    const isFuture = given > this.#nowMs + FUTURE_MS;
    if (this.#header !== undefined) return Math.max(isFuture ? this.#nowMs : given, this.#lastTs);
    if (given < this.#lastTs) throw new MaruError('invalid', 'ts: is before that of the entry before');
    if (isFuture) throw new MaruError('invalid', 'ts: is in the future');
    return given;
  }

  /** Either every line has a `seq`, or no line has one. */
  #seqOf(given: number | undefined): number {
    this.#first ??= { seq: given ?? 1, isGiven: given !== undefined };
    const { seq: first, isGiven } = this.#first;
    const expected = first + this.#entries;
    if ((given !== undefined) !== isGiven) throw new MaruError('invalid', 'seq: every line must have one, or no line');
    if (given !== undefined && given !== expected) throw new MaruError('invalid', `seq: ${expected} was expected`);
    return expected;
  }
}

function objectOf(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MaruError('invalid', 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MaruError('invalid', 'is not a JSON object');
  return value;
}

function checkTarget(line: Line, seq: number): void {
  if ('thread' in line && line.thread !== undefined && line.thread >= seq)
    throw new MaruError('invalid', 'thread: must be an earlier message');
  if (isChange(line) && line.data.seq >= seq) throw new MaruError('invalid', 'data.seq: must be an earlier message');
}

const isChange = (line: Line): line is Extract<Line, { type: `message.${string}` }> => line.type.startsWith('message.');

/** Members of JSON, without braces. Undefined ones are omitted. */
const members = (value: object): string => JSON.stringify(value).slice(1, -1);

/** In the form in which the gateway's scripts write it. */
function tailOf(line: Line): string {
  const erased = 'erased' in line && line.erased === true ? { erased: true } : {};
  if ('data' in line) return members({ data: line.data, ...erased });
  const { text, thread, mentions } = line;
  return members({ text, thread, mentions, ...erased });
}
