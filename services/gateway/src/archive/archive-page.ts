/** Reads a page of the archive in one transaction. */
import {
  applyLate,
  type PageQuery as HalfQuery,
  readArchivedRoom,
  readPage,
  seqAtTime,
  type Tx,
} from '@maru/archive-db';
import type { ArchivedPage, PageHalf, PageQuery } from '../log/history-store.ts';
import type { LateChange } from '../log/hot-log.ts';

/** Undefined if the archive does not have the room. */
export async function readArchivedPage(
  tx: Tx,
  query: PageQuery,
  changes: readonly LateChange[] = [],
): Promise<ArchivedPage | undefined> {
  const archived = await readArchivedRoom(tx, query.room);
  if (archived === undefined) return undefined;
  const { epoch, first, position } = archived;
  const late = changes.filter(({ seq }) => seq > position);
  const { room, reader, of, below, bytesMax } = query;

  const half = async (from: HalfQuery['from'], limit: number): Promise<PageHalf> => {
    if (limit === 0) return { entries: [], hasMore: false };
    const page = await readPage(tx, { room, reader, of, from, limit, bytesMax });
    const entries = await applyLate(tx, { room, reader, entries: page.entries, changes: late });
    return { entries, hasMore: page.hasMore };
  };

  const center = 'seq' in query.center ? query.center.seq : await centerAt(tx, query, query.center.ts);
  const older = await half({ before: Math.min(below, (center ?? below) + 1) }, query.older);
  const newer = await half({ after: center ?? 0 }, center === undefined ? 0 : query.newer);
  const root = of.kind === 'thread' ? await rootOf(tx, query, of.root) : undefined;
  return { epoch, first, position, center, older, newer, root };
}

async function centerAt(tx: Tx, { room, below }: PageQuery, ts: number): Promise<number | undefined> {
  const seq = await seqAtTime(tx, room, ts);
  return seq === undefined || seq >= below ? undefined : seq - 1;
}

async function rootOf(tx: Tx, { room, reader, bytesMax }: PageQuery, root: number): Promise<ArchivedPage['root']> {
  const of = { kind: 'seqs' as const, seqs: [root] };
  const { entries } = await readPage(tx, { room, reader, of, from: { before: root + 1 }, limit: 1, bytesMax });
  return entries[0]?.state;
}
