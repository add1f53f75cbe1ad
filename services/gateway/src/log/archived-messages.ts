/** Pages of messages across the hot log and the archive. */
import { MaruError } from '@maru/protocol';
import { isUnavailable } from '../unavailable.ts';
import { type ArchiveOptions, fitting } from './archived-entries.ts';
import { nOf, type StoredEntry } from './entry-codec.ts';
import { type ArchivedPage, archiveUnavailable, type PageHalf, type PageQuery } from './history-store.ts';
import { type HotMessages, type LateWanted, PAGE_BYTES_MAX } from './hot-log.ts';
import { readAcross, toStored } from './read-across.ts';
import { noSuchMessage } from './read-replies.ts';
import type { MessagesPiece, MessagesResult, RoomLog } from './room-log.ts';

export function createReadMessages({ log, history, deadlineMs, now }: ArchiveOptions): RoomLog['readMessages'] {
  return async (room, userId, piece) => {
    let first: HotMessages | undefined;
    const read = async () => {
      first = await log.readMessagesHot(room, userId, piece);
      return first;
    };
    const plan = (hot: HotMessages) => queryOf(room, userId, piece, hot);
    const readAgain = (hot: HotMessages, page: ArchivedPage, late: LateWanted) =>
      log.readMessagesHot(room, userId, partOf(piece, hot, page), wantedOf(piece, hot, page, late));
    try {
      const { hot, archive } = await readAcross({ history, deadlineMs, now, plan, readAgain, isSame }, read);
      return archive === undefined ? hot : merged(piece, hot, archive.page, archive.query);
    } catch (error) {
      if (first !== undefined && isUnavailable(error) && isUseful(piece, first)) return { ...first, hasMore: true };
      throw error;
    }
  };
}

const isThread = (hot: HotMessages, { thread }: MessagesPiece): boolean =>
  hot.isArchived && thread !== undefined && thread < hot.first;

/** The set of pinned messages must be known before the archive is read. */
const isSame = (before: HotMessages, after: HotMessages): boolean => String(before.pins) === String(after.pins);

/** Undefined: the hot log has the whole page. */
function queryOf(room: string, reader: string, piece: MessagesPiece, hot: HotMessages): PageQuery | undefined {
  const { first, archivedFrom, pins } = hot;
  const of = kindOf(piece, hot);
  const isEmpty = archivedFrom === 0 || archivedFrom >= first || (piece.pinned && pins.length === 0);
  if (isEmpty || of === undefined) return undefined;
  if (piece.mode === 'around' && piece.seq < archivedFrom) throw noSuchMessage();
  const below = of.kind === 'thread' ? Number.MAX_SAFE_INTEGER : first;
  const range = rangeOf(piece, hot, below);
  return range && { room, reader, of, below, bytesMax: PAGE_BYTES_MAX, ...range };
}

function kindOf(piece: MessagesPiece, hot: HotMessages): PageQuery['of'] | undefined {
  if (isThread(hot, piece)) return { kind: 'thread', root: piece.thread as number };
  // The root is in the hot log, and so are all replies.
  if (piece.thread !== undefined) return undefined;
  return piece.pinned ? { kind: 'seqs', seqs: hot.pins } : { kind: 'messages' };
}

type Range = Pick<PageQuery, 'center' | 'older' | 'newer'>;

function rangeOf(piece: MessagesPiece, hot: HotMessages, below: number): Range | undefined {
  const { mode, seq, limit } = piece;
  const [end, half] = [below - 1, halfOf(limit)];
  const isWhole = !hot.isArchived && hot.hasMore;
  switch (mode) {
    case 'newest':
      return isWhole ? undefined : { center: { seq: end }, older: limit, newer: 0 };
    case 'before':
      if (isWhole) return undefined;
      return { center: { seq: Math.min(seq - 1, end) }, older: limit, newer: seq - 1 < end ? 1 : 0 };
    case 'after':
      if (seq < end) return { center: { seq }, older: 1, newer: limit };
      return isWhole ? undefined : { center: { seq: end }, older: 1, newer: 0 };
    case 'around':
      if (seq <= end) return { center: { seq }, older: half, newer: limit };
      return isWhole ? undefined : { center: { seq: end }, older: half, newer: 0 };
    case 'at':
      if (isByTime(piece, hot)) return { center: { ts: seq }, older: half, newer: limit };
      return isWhole ? undefined : { center: { seq: end }, older: half, newer: 0 };
  }
}

const halfOf = (limit: number): number => Math.ceil(limit / 2);

/** Whether the archive must find the place of a time that is before the hot log. */
const isByTime = ({ mode }: MessagesPiece, { isArchived, center, first }: HotMessages): boolean =>
  mode === 'at' && (isArchived || center < first);

/** The last seq of the older half, if it is in the archive. */
function archivedCenter({ mode, seq }: MessagesPiece, first: number, found: number | undefined): number | undefined {
  const center = mode === 'at' ? found : mode === 'around' || mode === 'after' ? seq : undefined;
  return center !== undefined && center < first ? center : undefined;
}

/** The part of the page from the hot log. */
function partOf(piece: MessagesPiece, hot: HotMessages, page: ArchivedPage): MessagesPiece {
  const { first } = hot;
  const center = archivedCenter(piece, first, isByTime(piece, hot) ? page.center : undefined);
  return center === undefined ? piece : { ...piece, mode: 'after', seq: first - 1 };
}

function wantedOf(piece: MessagesPiece, hot: HotMessages, page: ArchivedPage, late: LateWanted): LateWanted {
  if (!isThread(hot, piece)) return late;
  if (page.root === undefined) throw noSuchMessage();
  if (page.root.thread !== undefined) throw new MaruError('invalid', 'thread: this message is in a thread itself');
  const seqs = [...page.older.entries, ...page.newer.entries].map(({ seq }) => seq);
  return { ...late, replies: seqs.filter((seq) => seq >= hot.first) };
}

/** Whether the hot log's part is useful without its older end. */
function isUseful({ mode, seq }: MessagesPiece, { isArchived, entries, first, center }: HotMessages): boolean {
  if (isArchived || entries.length === 0) return false;
  if (mode === 'after') return seq >= first - 1;
  return mode !== 'at' || center >= first;
}

function merged(piece: MessagesPiece, hot: HotMessages, page: ArchivedPage, query: PageQuery): MessagesResult {
  const { mode, limit } = piece;
  const { epoch, head } = hot;
  const center = lastOlder(piece, hot, 'ts' in query.center ? page.center : undefined);
  // If a half was cut, the entries after the cut are unknown.
  const end = page.newer.hasMore ? (page.newer.entries.at(-1)?.seq ?? 0) : head;
  const older = [
    ...(hot.hasMore ? [] : archivedOf(page.older, hot)),
    ...hot.entries.filter(({ seq }) => seq <= center),
  ].reverse();
  const newer = [...archivedOf(page.newer, hot), ...hot.entries.filter(({ seq }) => seq > center && seq <= end)];
  const [olderMax, newerMax, share] = sharesOf(mode, limit);
  const shownOlder = fitting(older, olderMax, PAGE_BYTES_MAX / share);
  const shownNewer = fitting(newer, newerMax ?? limit - shownOlder.length, PAGE_BYTES_MAX / share);
  const entries = [...shownOlder.reverse(), ...shownNewer];
  if (query.of.kind === 'messages') checkNumbers(entries);
  return {
    ...{ epoch, head, entries },
    hasMore: shownOlder.length < older.length || page.older.hasMore || hot.hasMore,
    hasNewer: shownNewer.length < newer.length || page.newer.hasMore || hot.hasNewer,
  };
}

/** `found`: the center that the archive has found for the time. */
function lastOlder(piece: MessagesPiece, hot: HotMessages, found: number | undefined): number {
  switch (piece.mode) {
    case 'newest':
      return hot.head;
    case 'before':
      return piece.seq - 1;
    case 'at':
      return archivedCenter(piece, hot.first, found) ?? hot.center;
    default:
      return piece.seq;
  }
}

/**
 * The number of messages of the older half and of the newer half (undefined: the rest), and their
 * shares of the bytes.
 */
function sharesOf(
  mode: MessagesPiece['mode'],
  limit: number,
): [older: number, newer: number | undefined, share: number] {
  if (mode === 'after') return [0, limit, 1];
  return mode === 'around' || mode === 'at' ? [halfOf(limit), undefined, 2] : [limit, 0, 1];
}

/** Entries that are also in the hot log are taken from there. */
const archivedOf = ({ entries }: PageHalf, { first }: HotMessages): StoredEntry[] =>
  entries.filter(({ seq }) => seq < first).map(toStored);

/** Messages are numbered, so a page without a gap has all numbers from its first to its last. */
function checkNumbers(entries: StoredEntry[]): void {
  const numbers = entries.map(({ head }) => nOf(head));
  // Entries of early releases have no number.
  if (numbers.some((n, index) => index > 0 && n - (numbers[index - 1] ?? 0) !== 1 && !Number.isNaN(n)))
    throw archiveUnavailable(new Error('the archive has a gap'));
}
