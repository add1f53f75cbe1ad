/**
 * The seam to the archive: entries that have left the hot log of a room.
 *
 * An implementation MUST keep these promises:
 * - A page is of one moment, that of its `position`. It has no gap.
 * - The page is of the requested epoch, and the archive had everything up to `atLeast` at that
 * moment. A replica that is behind is not used.
 * - A call ends within its deadline, even if the archive does not answer, and it uses a bounded
 * number of connections.
 * It rejects with MaruError `unavailable`. It does not know the rights of readers: the hot log
 * checks them after each call.
 */
import type { ArchivedEntry, PageQuery as HalfQuery, MessageState } from '@maru/archive-db';
import { MaruError } from '@maru/protocol';
import type { LateChange } from './hot-log.ts';

export type { ArchivedEntry } from '@maru/archive-db';

export interface PageQuery extends Pick<HalfQuery, 'room' | 'reader' | 'of'> {
  /**
   * The place that divides the page: a seq, which belongs to the older half, or the first entry at
   * or after a time, which belongs to the newer half.
   */
  center: { seq: number } | { ts: number };
  /** Maximum entries on each side of the center. */
  older: number;
  newer: number;
  /** Older entries are below this seq, and so is the center if it is a time. */
  below: number;
  /** Maximum bytes of each half, except for one entry. */
  bytesMax: number;
}

export interface PageHalf {
  /** Ascending. */
  entries: ArchivedEntry[];
  /** The archive has more in this direction. */
  hasMore: boolean;
}

export interface ArchivedPage {
  epoch: string;
  /** The archive has all entries from `first` to `position`. */
  first: number;
  position: number;
  /** The last seq of the older half. Undefined if all entries are before the time. */
  center: number | undefined;
  older: PageHalf;
  newer: PageHalf;
  /** The root of the thread. Undefined if it is not a message in the archive. */
  root: MessageState | undefined;
}

export interface HistoryOptions {
  epoch: string;
  atLeast: number;
  /** Changes in order. Those that the archive does not have yet are applied to the page. */
  changes?: readonly LateChange[];
  deadlineMs: number;
}

export interface HistoryStore {
  readPage(query: PageQuery, options: HistoryOptions): Promise<ArchivedPage>;
}

export const archiveUnavailable = (cause: unknown): MaruError =>
  new MaruError('unavailable', 'older entries cannot be read now', { retryAfterMs: 1_000, cause });
