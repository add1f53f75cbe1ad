/**
 * Finds messages by their words, newest first. The fastest plan depends on the frequency of a word,
 * so a search has up to four steps:
 *
 * 1. A window of the newest messages. It has enough matches of common words.
 * 2. The index of words, if it has few matches. It has no order, so all matches are sorted.
 * 3. If it has many matches: a larger window. It has enough matches unless the word has become
 * rare.
 * 4. The index in periods of time, newest first. A period is halved until it has few matches.
 */
import { type ParsedQuery, periodOf, type SearchScope, startOfPeriod, toTsQuery } from '@maru/search-text';
import type { Tx } from './archive.ts';
import {
  indexStatement,
  oldestStatement,
  type SearchBounds,
  type SearchPlace,
  type Statement,
  seqSinceStatement,
  windowEndStatement,
  windowStatement,
} from './search-sql.ts';

export type { SearchPlace } from './search-sql.ts';

export interface SearchRequest {
  parsed: ParsedQuery;
  /** Rooms that the user may read, and the author. Messages of other rooms are never found. */
  scope: Omit<SearchScope, 'periods' | 'rooms'> & { rooms: readonly string[] };
  /** Only in this room. The scope MUST have it. */
  room?: string | undefined;
  /** Times in milliseconds, both exclusive. */
  beforeTs?: number | undefined;
  afterTs?: number | undefined;
  /** Only results after this place: the `next` of an earlier page. */
  after?: SearchPlace | undefined;
  limit: number;
}

export interface SearchHits {
  /** Newest first. They have the query's tokens, but the caller must check the text for a match. */
  hits: SearchPlace[];
  /** Where the next page begins. Undefined if there are no further results. */
  next: SearchPlace | undefined;
}

export interface SearchSizes {
  /** Messages in the first window, and in the larger one. */
  windowRows: number;
  moreRows: number;
  /** If the first window has this many matches, the index has too many. */
  denseHits: number;
  /** Maximum matches of the index to read and sort. */
  indexHitsMax: number;
  /** Maximum rooms in a query. PostgreSQL's cost grows with their square. */
  queryRoomsMax: number;
}

/** A row of a window takes 0.5 us. A row found by the index takes 10 us. */
const SIZES: SearchSizes = {
  windowRows: 20_000,
  moreRows: 200_000,
  denseHits: 4,
  indexHitsMax: 2_000,
  queryRoomsMax: 500,
};
/** Above every time, and exact in a double. */
const MAX = Number.MAX_SAFE_INTEGER;

/** One call reads one snapshot. Rejects with ArchiveUnavailable. */
export async function searchMessages(tx: Tx, request: SearchRequest, sizes = SIZES): Promise<SearchHits> {
  // A table scan or compiling the query would take longer than any search.
  await tx.query('SET LOCAL enable_seqscan = off; SET LOCAL jit = off');
  const { public: isPublic, rooms } = request.scope;
  const readable = rooms.length > sizes.queryRoomsMax ? { public: isPublic, rooms } : undefined;
  const bounds = { ...(await boundsOf(tx, request)), readable };
  return new Search(tx, request, bounds, sizes).run();
}

async function boundsOf(
  tx: Tx,
  { room, beforeTs = MAX, afterTs = -1 }: SearchRequest,
): Promise<Omit<SearchBounds, 'readable'>> {
  const bounds = { room, beforeTs, afterTs, belowSeq: MAX, aboveSeq: 0 };
  if (room === undefined) return bounds;
  if (beforeTs !== MAX) bounds.belowSeq = await seqSince(tx, room, beforeTs);
  if (afterTs !== -1) bounds.aboveSeq = (await seqSince(tx, room, afterTs + 1)) - 1;
  return bounds;
}

async function seqSince(tx: Tx, room: string, ts: number): Promise<number> {
  const { text, values } = seqSinceStatement(room, ts);
  const [row] = await tx.query<{ seq: number }>(text, values);
  return row?.seq ?? MAX;
}

/** The results so far. `end`: where the search stopped. Undefined if it has seen everything. */
interface Part {
  hits: SearchPlace[];
  end: SearchPlace | undefined;
  /** Set for a part over periods: it also contains everything older than them. */
  withOlder?: boolean;
}

class Search {
  readonly #tx: Tx;
  readonly #request: SearchRequest;
  readonly #bounds: SearchBounds;
  readonly #sizes: SearchSizes;
  readonly #scope: SearchScope;
  readonly #query: string;

  constructor(tx: Tx, request: SearchRequest, bounds: SearchBounds, sizes: SearchSizes) {
    this.#tx = tx;
    this.#request = request;
    this.#bounds = bounds;
    this.#sizes = sizes;
    this.#scope = bounds.readable === undefined ? request.scope : { ...request.scope, rooms: 'all' };
    this.#query = toTsQuery(request.parsed, this.#scope);
  }

  async run(): Promise<SearchHits> {
    const { limit, after } = this.#request;
    // One more than needed shows whether there is a next page.
    const { hits, end } = await this.#window(after, limit + 1, this.#sizes.windowRows);
    if (hits.length > limit) return cut(hits, limit);
    if (end === undefined) return { hits, next: undefined };
    const rest = await this.#beyond(end, limit + 1 - hits.length, hits.length >= this.#sizes.denseHits);
    hits.push(...rest.hits);
    if (hits.length > limit) return cut(hits, limit);
    return rest.end === undefined ? { hits, next: undefined } : this.#stop(hits, rest.end);
  }

  /** The place may be that of any message. The user may learn its time, but not its room. */
  #stop(hits: SearchPlace[], { room, seq, ts }: SearchPlace): SearchHits {
    if (this.#bounds.room !== undefined) return { hits, next: { room, seq, ts } };
    return { hits: hits.filter((hit) => hit.ts > ts), next: { room: '', seq: 0, ts } };
  }

  #places({ text, values }: Statement): Promise<SearchPlace[]> {
    return this.#tx.query<SearchPlace>(text, values);
  }

  async #window(at: SearchPlace | undefined, limit: number, rows: number): Promise<Part> {
    const hits = await this.#places(windowStatement(this.#query, this.#bounds, at, { rows, limit }));
    if (hits.length === limit) return { hits, end: hits.at(-1) };
    const [end] = await this.#places(windowEndStatement(this.#bounds, at, rows));
    return { hits, end };
  }

  async #beyond(at: SearchPlace, limit: number, isDense: boolean): Promise<Part> {
    const few = isDense ? undefined : await this.#few(this.#query, at, limit);
    if (few !== undefined) return { hits: few, end: undefined };
    const { hits, end } = await this.#window(at, limit, this.#sizes.moreRows);
    if (end === undefined || hits.length === limit) return { hits, end };
    const { text, values } = oldestStatement(this.#bounds);
    const [oldest] = await this.#tx.query<{ ts: number }>(text, values);
    const from = periodOf(Math.max(oldest?.ts ?? 0, this.#bounds.afterTs));
    const to = Math.max(from, periodOf(Math.min(end.ts, this.#bounds.beforeTs)));
    const older = await this.#byPeriods(end, from, to, limit - hits.length);
    return { ...older, hits: [...hits, ...older.hits] };
  }

  /** All matches of the periods if they are few. Otherwise halves the periods. */
  async #byPeriods(at: SearchPlace, from: number, to: number, limit: number): Promise<Part> {
    const query = toTsQuery(this.#request.parsed, { ...this.#scope, periods: [from, to] });
    const hits = await this.#few(query, at, limit);
    if (hits !== undefined) return { hits, end: undefined };
    if (from === to) {
      const begin = await this.#beginOf(to, at);
      return { ...(await this.#window(begin, limit, this.#sizes.moreRows)), withOlder: true };
    }
    const middle = Math.floor((from + to) / 2);
    const newer = await this.#byPeriods(at, middle + 1, to, limit);
    if (newer.withOlder === true || newer.hits.length === limit) return newer;
    const older = await this.#byPeriods(at, from, middle, limit - newer.hits.length);
    return { ...older, hits: [...newer.hits, ...older.hits] };
  }

  /** Undefined if there are many matches. */
  async #few(query: string, at: SearchPlace, limit: number): Promise<SearchPlace[] | undefined> {
    const most = this.#sizes.indexHitsMax + 1;
    const { text, values } = indexStatement(query, this.#bounds, at, { most, limit });
    const rows = await this.#tx.query<SearchPlace & { n: number }>(text, values);
    return rows[0]?.n === most ? undefined : rows.map(({ room, seq, ts }) => ({ room, seq, ts }));
  }

  /** The place, or the newest message of the period if the place is in a later one. */
  async #beginOf(period: number, at: SearchPlace): Promise<SearchPlace> {
    const end = startOfPeriod(period + 1);
    if (at.ts < end) return at;
    const { room } = this.#bounds;
    if (room === undefined) return { ts: end - 1, room: '', seq: 0 };
    return { ts: end - 1, room, seq: Math.min(at.seq, await seqSince(this.#tx, room, end)) };
  }
}

function cut(hits: SearchPlace[], limit: number): SearchHits {
  const page = hits.slice(0, limit);
  return { hits: page, next: page.at(-1) };
}
