/** Reads pages of archived rooms. All parts of a page MUST be read in one transaction. */
import type { Tx } from './archive.ts';
import { concernOf, erasedEdit, type LogEntry } from './entries.ts';
import { fold } from './fold.ts';
import { loadStates, STATE_COLUMNS, type StateRow, stateOf } from './load-states.ts';
import { composeTail, type MessageState } from './message-state.ts';

export interface ArchivedEntry extends LogEntry {
  /** The current state. Undefined if the entry is not a message. */
  state: MessageState | undefined;
  /** The emoji with which the reader reacted. */
  mine: string[];
}

export interface PageQuery {
  room: string;
  /** A user id. */
  reader: string;
  /**
   * Which entries to read: all, only messages, the replies in a thread, or messages with these
   * seqs.
   */
  of: { kind: 'entries' | 'messages' } | { kind: 'thread'; root: number } | { kind: 'seqs'; seqs: number[] };
  /** Exclusive. The page has the entries nearest to this seq. */
  from: { before: number } | { after: number };
  /** Maximum entries. */
  limit: number;
  /** Maximum bytes of heads and tails, except for one entry. */
  bytesMax: number;
}

export interface ArchivedPage {
  /** Ascending. */
  entries: ArchivedEntry[];
  /** The archive has more of them in the direction of reading. */
  hasMore: boolean;
}

/** The tail that the reader sees. */
export const tailOf = ({ tail, state, mine }: ArchivedEntry): string =>
  state === undefined ? tail : composeTail(tail, state, new Set(mine));

interface PageRow extends StateRow {
  n: number;
  is_message: boolean;
  head: string;
  own_tail: string;
  mine: string[];
  found: number;
}

/** Empty if the archive does not have the room. Entries before the room's `first` are omitted. */
export async function readPage(tx: Tx, query: PageQuery): Promise<ArchivedPage> {
  const { room, reader, of, from, limit, bytesMax } = query;
  const isBefore = 'before' in from;
  const values: unknown[] = [room, isBefore ? from.before : from.after, limit + 1, bytesMax, reader];
  const rows = await tx.query<PageRow>(pageSql(of.kind, isBefore), [
    ...values,
    ...(of.kind === 'thread' ? [of.root] : of.kind === 'seqs' ? [of.seqs] : []),
  ]);
  const entries = rows.slice(0, limit).map(entryOf);
  return { entries: isBefore ? entries.reverse() : entries, hasMore: (rows[0]?.found ?? 0) > entries.length };
}

/**
 * In the order of reading: the first `limit` entries that fit into the bytes, and the number found.
 */
function pageSql(kind: PageQuery['of']['kind'], isBefore: boolean): string {
  const side = isBefore ? '<' : '>';
  const order = isBefore ? 'DESC' : 'ASC';
  const table = kind === 'entries' ? 'e' : 'm';
  const tables =
    kind === 'entries'
      ? 'entries e LEFT JOIN messages m ON m.room = e.room AND m.seq = e.seq'
      : 'messages m JOIN entries e ON e.room = m.room AND e.seq = m.seq';
  const which = { entries: '', messages: '', thread: 'AND m.thread = $6', seqs: 'AND m.seq = ANY ($6::bigint[])' }[
    kind
  ];
  const columns = STATE_COLUMNS.replace('m.seq, m.ts, m.author', 'e.seq, e.ts, e.author');
  return `
    WITH found AS (
      SELECT ${columns}, e.n, e.is_message, e.head, e.tail AS own_tail,
        octet_length(e.head) + octet_length(coalesce(m.tail, e.tail)) + coalesce(octet_length(m.reactions::text), 0) AS size
      FROM ${tables} WHERE ${table}.room = $1 AND ${table}.seq ${side} $2
        AND ${table}.seq >= (SELECT first FROM rooms WHERE room = $1) ${which}
      ORDER BY ${table}.seq ${order} LIMIT $3
    ), sized AS (
      SELECT *, sum(size) OVER (ORDER BY seq ${order}) AS bytes, row_number() OVER (ORDER BY seq ${order}) AS place,
        count(*) OVER () AS found FROM found
    )
    SELECT s.*, CASE WHEN s.reactions IS NULL THEN '{}' ELSE ARRAY(
      SELECT r.emoji FROM reactions r WHERE r.room = $1 AND r.seq = s.seq AND r.user_id = $5) END AS mine
    FROM sized s WHERE s.bytes <= $4 OR s.place = 1 ORDER BY s.seq ${order}`;
}

function entryOf(row: PageRow): ArchivedEntry {
  const { seq, ts, n, author, is_message: isMessage, head, own_tail: tail, mine } = row;
  return { seq, ts, n, author, isMessage, head, tail, mine, state: isMessage ? stateOf(row) : undefined };
}

/** The oldest seq whose time is at or after `ts`. Undefined if there is none. */
export async function seqAtTime(tx: Tx, room: string, ts: number): Promise<number | undefined> {
  const rows = await tx.query<{ seq: number }>(
    `SELECT e.seq FROM entries e JOIN rooms r ON r.room = e.room
    WHERE e.room = $1 AND e.ts >= $2 AND e.seq >= r.first ORDER BY e.ts, e.seq LIMIT 1`,
    [room, ts],
  );
  return rows[0]?.seq;
}

export interface LateChanges {
  room: string;
  reader: string;
  /** The entries of the page. */
  entries: ArchivedEntry[];
  /** Entries that the archive does not have yet, ascending: changes, and replies. */
  changes: LogEntry[];
}

/** The entries of a page after later changes are applied. */
export async function applyLate(tx: Tx, { room, reader, entries, changes }: LateChanges): Promise<ArchivedEntry[]> {
  if (changes.length === 0) return entries;
  const { states, erased, deleted } = fold(changes, await loadStates(tx, room, changes));
  const mine = new Map(entries.map((entry) => [entry.seq, new Set(entry.mine)]));
  for (const change of changes) {
    const concern = concernOf(change);
    if (concern?.type !== 'react' || change.author !== reader) continue;
    if (concern.active) mine.get(concern.seq)?.add(concern.emoji);
    else mine.get(concern.seq)?.delete(concern.emoji);
  }
  const tailNow = (entry: ArchivedEntry) => {
    const edited = deleted.size === 0 || entry.isMessage ? undefined : concernOf(entry);
    return edited?.type === 'edit' && deleted.has(edited.seq) ? erasedEdit(edited.seq) : erased.get(entry.seq);
  };
  return entries.map((entry) => ({
    ...entry,
    tail: tailNow(entry) ?? entry.tail,
    state: entry.isMessage ? (states.get(entry.seq) ?? entry.state) : undefined,
    mine: [...(mine.get(entry.seq) ?? [])],
  }));
}
