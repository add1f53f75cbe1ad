/**
 * The SQL of a search. In one room, results are in log order, otherwise in order of time. Newest
 * first.
 */
import { quoteLexeme, scopeTokens } from '@maru/search-text';

/** A place in the results: at a message, or between messages. */
export interface SearchPlace {
  ts: number;
  room: string;
  seq: number;
}

/** Limits of a search, in addition to those in the `tsquery`. */
export interface SearchBounds {
  /** Search only this room. */
  room: string | undefined;
  /** In one room: only seqs between these. */
  belowSeq: number;
  aboveSeq: number;
  /** In all rooms: only times between these. */
  beforeTs: number;
  afterTs: number;
  /** The readable rooms, if they are too many for the query. */
  readable: { public: boolean; rooms: readonly string[] } | undefined;
}

export interface Statement {
  text: string;
  values: unknown[];
}

/** The values of a statement. `$` adds one and returns its placeholder. */
class Values {
  readonly all: unknown[] = [];
  readonly $ = (value: unknown): string => `$${this.all.push(value)}`;
}

/**
 * Rows after a place. Without `indexed`, no index can serve the condition. This keeps the planner
 * from using another index instead of the index of words.
 */
function rowsAfter({ $ }: Values, bounds: SearchBounds, at: SearchPlace | undefined, indexed: boolean): string {
  const key = (column: 'ts' | 'seq') => (indexed ? column : `(${column} + 0)`);
  if (bounds.room !== undefined) {
    const room = indexed ? `room = ${$(bounds.room)} AND ` : '';
    const below = Math.min(bounds.belowSeq, at?.seq ?? bounds.belowSeq);
    return `${room}${key('seq')} < ${$(below)} AND ${key('seq')} > ${$(bounds.aboveSeq)}`;
  }
  const between = `${key('ts')} < ${$(bounds.beforeTs)} AND ${key('ts')} > ${$(bounds.afterTs)}`;
  if (at === undefined) return between;
  const [ts, room] = [$(at.ts), $(at.room)];
  return `${between} AND ${key('ts')} <= ${ts}
    AND (ts < ${ts} OR room > ${room} OR (room = ${room} AND seq < ${$(at.seq)}))`;
}

const isMatch = ({ $ }: Values, query: string, { readable }: SearchBounds): string => {
  const words = `words @@ ${$(query)}::tsquery`;
  if (readable === undefined) return words;
  const isPublic = readable.public ? `words @@ ${$(quoteLexeme(scopeTokens.public))}::tsquery OR ` : '';
  return `${words} AND (${isPublic}room = ANY (${$(readable.rooms)}::text[]))`;
};

const orderOf = ({ room }: SearchBounds): string => (room === undefined ? 'ts DESC, room, seq DESC' : 'seq DESC');

/** Matches among the next rows in the order. PostgreSQL stops at the last row of the window. */
export function windowStatement(
  query: string,
  bounds: SearchBounds,
  at: SearchPlace | undefined,
  { rows, limit }: { rows: number; limit: number },
): Statement {
  const values = new Values();
  const where = rowsAfter(values, bounds, at, true);
  const order = orderOf(bounds);
  const text = `SELECT room, seq, ts FROM (
      SELECT room, seq, ts, words FROM messages WHERE ${where} ORDER BY ${order} LIMIT ${values.$(rows)}
    ) AS newest WHERE ${isMatch(values, query, bounds)} ORDER BY ${order} LIMIT ${values.$(limit)}`;
  return { text, values: values.all };
}

/** The last row of such a window. No row if fewer rows follow the place. */
export function windowEndStatement(bounds: SearchBounds, at: SearchPlace | undefined, rows: number): Statement {
  const values = new Values();
  const where = rowsAfter(values, bounds, at, true);
  // An index has all columns of the inner query, so the table itself is not read.
  const text = `SELECT room, seq, ts FROM messages JOIN (
      SELECT room, seq FROM messages WHERE ${where} ORDER BY ${orderOf(bounds)} OFFSET ${values.$(rows - 1)} LIMIT 1
    ) AS last USING (room, seq)`;
  return { text, values: values.all };
}

/**
 * Matches by the index of words, and in `n` their number, up to `most`. The index has no order, so
 * all matches are read and sorted.
 */
export function indexStatement(
  query: string,
  bounds: SearchBounds,
  at: SearchPlace | undefined,
  { most, limit }: { most: number; limit: number },
): Statement {
  const values = new Values();
  const where = rowsAfter(values, bounds, at, false);
  const text = `SELECT room, seq, ts, count(*) OVER () AS n FROM (
      SELECT room, seq, ts FROM messages
      WHERE ${isMatch(values, query, bounds)} AND ${where} LIMIT ${values.$(most)}
    ) AS matches ORDER BY ${orderOf(bounds)} LIMIT ${values.$(limit)}`;
  return { text, values: values.all };
}

/** The oldest seq of the room that was stored at or after a time. No row if all are older. */
export const seqSinceStatement = (room: string, ts: number): Statement => ({
  text: 'SELECT seq FROM entries WHERE room = $1 AND ts >= $2 ORDER BY ts, seq LIMIT 1',
  values: [room, ts],
});

export const oldestStatement = ({ room }: SearchBounds): Statement =>
  room === undefined
    ? { text: 'SELECT ts FROM messages ORDER BY ts LIMIT 1', values: [] }
    : { text: 'SELECT ts FROM messages WHERE room = $1 ORDER BY seq LIMIT 1', values: [room] };
