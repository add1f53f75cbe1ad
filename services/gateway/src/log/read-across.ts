/**
 * Reads a page of which the hot log has at most a part. The page is of the moment of the last read
 * of the hot log:
 *
 * 1. Read the hot log: its entries, and the seq from which the archive is needed.
 * 2. Read the archive, as of its position.
 * 3. Read the hot log again, with the changes of the page's messages after that position. This also
 * checks the right to read.
 * 4. If there are such changes, read the archive again. It applies them.
 *
 * If the hot log was trimmed or rolled back in between, start again.
 */
import { concernOf, tailOf } from '@maru/archive-db';
import type { StoredEntry } from './entry-codec.ts';
import {
  type ArchivedEntry,
  type ArchivedPage,
  archiveUnavailable,
  type HistoryStore,
  type PageQuery,
} from './history-store.ts';
import type { HotState, LateWanted } from './hot-log.ts';

const ATTEMPTS_MAX = 3;

export interface Hot extends HotState {
  epoch: string;
  head: number;
}

export interface AcrossOptions<H extends Hot> {
  history: HistoryStore;
  /** For all calls of the archive together. */
  deadlineMs: number;
  now: () => number;
  /** Undefined: the hot log has the whole page. */
  plan: (hot: H) => PageQuery | undefined;
  /** The hot log's part of the page. `page` is that of the archive. */
  /** False: the data behind the plan has changed since. */
  isSame?: (before: H, after: H) => boolean;
  readAgain: (hot: H, page: ArchivedPage, late: LateWanted) => Promise<H>;
}

/** `archive` is undefined if the hot log has the whole page. */
export async function readAcross<H extends Hot>(
  options: AcrossOptions<H>,
  read: () => Promise<H>,
): Promise<{ hot: H; archive: { page: ArchivedPage; query: PageQuery } | undefined }> {
  const { history, now, plan, readAgain } = options;
  const endsAt = now() + options.deadlineMs;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const before = await read();
    const query = plan(before);
    if (query === undefined) return { hot: before, archive: undefined };
    const { epoch, archived: atLeast, first } = before;
    const call = { epoch, atLeast, deadlineMs: endsAt - now() };
    const page = await history.readPage(query, call);
    const hot = await readAgain(before, page, { after: page.position, targets: targetsOf(query, page, first) });
    if (hot.epoch !== epoch || hot.first !== first || options.isSame?.(before, hot) === false) continue;
    if (hot.late === undefined) throw archiveUnavailable(new Error('the archive lacks too many changes'));
    if (hot.late.length === 0) return { hot, archive: { page, query } };
    // A replica that is behind the first one would lack the changes between the two.
    const again = { epoch, atLeast: page.position, changes: hot.late, deadlineMs: endsAt - now() };
    const changed = await history.readPage(query, again);
    // Otherwise the archive has entries that this page must not show.
    if (changed.position <= hot.head) return { hot, archive: { page: changed, query } };
  }
  throw archiveUnavailable(new Error('the log changes too fast'));
}

/** Messages that a late change may concern. A deletion also erases the edits of a message. */
function targetsOf({ of }: PageQuery, { older, newer }: ArchivedPage, first: number): number[] {
  const targets = new Set<number>(of.kind === 'thread' ? [of.root] : []);
  for (const entry of [...older.entries, ...newer.entries]) {
    if (entry.seq >= first) continue;
    const concern = entry.isMessage ? undefined : concernOf(entry);
    if (entry.isMessage) targets.add(entry.seq);
    else if (concern?.type === 'edit' && concern.seq < first) targets.add(concern.seq);
  }
  return [...targets];
}

/** In the form of the hot log. */
export const toStored = (entry: ArchivedEntry): StoredEntry => {
  const { seq, ts, head } = entry;
  return { seq, ts, head, tail: tailOf(entry) };
};

export const bytesOf = ({ head, tail }: StoredEntry): number => Buffer.byteLength(head) + Buffer.byteLength(tail);
