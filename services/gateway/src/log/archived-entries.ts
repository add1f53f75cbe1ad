/** Pages of entries across the hot log and the archive. */
import { isUnavailable } from '../unavailable.ts';
import type { StoredEntry } from './entry-codec.ts';
import {
  type ArchivedPage,
  archiveUnavailable,
  type HistoryStore,
  type PageHalf,
  type PageQuery,
} from './history-store.ts';
import { type HotLog, type HotRead, type LateWanted, PAGE_BYTES_MAX } from './hot-log.ts';
import { bytesOf, readAcross, toStored } from './read-across.ts';
import type { Reader, ReadPiece, RoomLog } from './room-log.ts';

export interface ArchiveOptions {
  log: HotLog;
  history: HistoryStore;
  /** Deadline of the archive's part of a request. */
  deadlineMs: number;
  now: () => number;
}

type Piece = Extract<ReadPiece, { mode: 'newest' | 'before' | 'after' }>;

/** The seqs of a page that the hot log does not have. `up`: read in ascending order. */
interface Missing {
  from: number;
  to: number;
  up: boolean;
}

export function createReadEntries({ log, history, deadlineMs, now }: ArchiveOptions): RoomLog['read'] {
  return async (room, reader, piece, options) => {
    let first: HotRead | undefined;
    const read = async () => {
      first = await log.readHot(room, reader, piece, options);
      return first;
    };
    if (piece.mode !== 'newest' && piece.mode !== 'before' && piece.mode !== 'after') return shown(await read());
    const plan = (hot: HotRead) => queryOf(room, reader, piece, hot);
    const readAgain = (hot: HotRead, page: ArchivedPage, late: LateWanted) =>
      log.readHot(room, reader, partOf(piece, hot, page), { late });
    try {
      const { hot, archive } = await readAcross({ history, deadlineMs, now, plan, readAgain }, read);
      return shown(archive === undefined ? hot : merged(piece, hot, archive.page, archive.query));
    } catch (error) {
      // If the page begins in the hot log, it is useful without its older end.
      if (first !== undefined && first.entries.length > 0 && piece.mode !== 'after' && isUnavailable(error))
        return shown(first);
      throw error;
    }
  };
}

/** `archivedFrom` is 0 if the room is not in the archive. */
const shown = ({ archivedFrom, ...read }: HotRead) => ({
  ...read,
  archivedFrom: archivedFrom === 0 ? undefined : archivedFrom,
});

function queryOf(room: string, reader: Reader, piece: Piece, hot: HotRead): PageQuery | undefined {
  const missing = missingOf(piece, hot);
  if (missing === undefined) return undefined;
  const { from, to, up } = missing;
  const count = to - from + 1;
  return {
    ...{ room, reader: reader === 'node' ? '' : reader.userId, of: { kind: 'entries' }, bytesMax: PAGE_BYTES_MAX },
    ...(up ? { center: { seq: from - 1 }, older: 0, newer: count } : { center: { seq: to }, older: count, newer: 0 }),
    below: hot.first,
  };
}

function missingOf(piece: Piece, { head, first, archivedFrom, entries }: HotRead): Missing | undefined {
  if (archivedFrom === 0 || archivedFrom >= first) return undefined;
  if (piece.mode === 'after') {
    const from = Math.max(archivedFrom, piece.seq + 1);
    const to = Math.min(from + piece.limit - 1, first - 1);
    return from > to ? undefined : { from, to, up: true };
  }
  const end = piece.mode === 'newest' ? head : Math.min(piece.seq - 1, head);
  const from = Math.max(archivedFrom, end - piece.limit + 1);
  const to = Math.min(end, first - 1);
  // The page ends above the entries of the hot log, because it has reached its maximum size.
  const isFull = end >= first && entries[0]?.seq !== first;
  return from > to || isFull ? undefined : { from, to, up: false };
}

/** The part of the page from the hot log. */
function partOf(piece: Piece, { first }: HotRead, { newer }: ArchivedPage): ReadPiece {
  if (piece.mode !== 'after') return piece;
  return { mode: 'after', seq: first - 1, limit: Math.max(1, piece.limit - newer.entries.length) };
}

function merged(piece: Piece, hot: HotRead, page: ArchivedPage, query: PageQuery): HotRead {
  const isUp = piece.mode === 'after';
  const half = isUp ? page.newer : page.older;
  const reaches = checkGap(half, page, query, isUp);
  const archived = half.entries.map(toStored);
  // The hot log's part alone may have grown to the size of a page.
  const joins = hot.entries.length === 0 || hot.entries[0]?.seq === hot.first;
  const all = isUp
    ? [...archived, ...(reaches ? hot.entries : [])]
    : [...(joins ? archived : []), ...hot.entries].reverse();
  const entries = fitting(all, piece.limit, PAGE_BYTES_MAX);
  const hasReactions = half.entries.some(({ state }) => state !== undefined && state.reactions.length > 0);
  return {
    ...hot,
    entries: isUp ? entries : entries.reverse(),
    personal: hot.personal || hasReactions,
    // Retention may have removed entries that the hot log still counts.
    archivedFrom: Math.max(hot.archivedFrom, page.first),
  };
}

/**
 * Rejects a page that lacks an entry which the archive should have. Returns whether it contains all
 * requested entries, because the bytes of a page are limited.
 */
function checkGap({ entries, hasMore }: PageHalf, { first }: ArchivedPage, query: PageQuery, isUp: boolean): boolean {
  const center = 'seq' in query.center ? query.center.seq : 0;
  const from = Math.max(isUp ? center + 1 : center - query.older + 1, first);
  const to = isUp ? center + query.newer : center;
  const wanted = Math.max(0, to - from + 1);
  const begin = isUp ? from : to - entries.length + 1;
  const isWhole = entries.length === wanted;
  if ((!isWhole && !hasMore) || entries.some(({ seq }, index) => seq !== begin + index))
    throw archiveUnavailable(new Error('the archive has a gap'));
  return isWhole;
}

/** The first entries, up to the limits of a page. */
export function fitting(entries: StoredEntry[], limit: number, bytesMax: number): StoredEntry[] {
  let bytes = 0;
  const end = entries.findIndex((entry, index) => {
    bytes += bytesOf(entry);
    return index >= limit || (bytes > bytesMax && index > 0);
  });
  return end === -1 ? entries : entries.slice(0, end);
}
