/**
 * The seam to the archive: what has left the hot log of a room.
 *
 * An implementation MUST keep these promises:
 * - A page is of one moment, that of its `position`. It has no gap.
 * - The page is of the asked epoch, and the archive had everything up to `atLeast` at that moment.
 * A
 *   replica that is behind is not used.
 * - A call ends within its deadline, also if the archive is silent, and it uses a bounded number of
 *   connections.
 * It rejects with MaruError `unavailable`. It does not know the rights of readers: the hot log
 * checks them after each call.
 */
import type { ArchivedEntry, PageQuery as HalfQuery, MessageState } from '@maru/archive-db';
import { MaruError } from '@maru/protocol';
import type { LateChange } from './hot-log.ts';

export type { ArchivedEntry } from '@maru/archive-db';

export interface PageQuery extends Pick<HalfQuery, 'room' | 'reader' | 'of'> {
  /**
   * What divides the page: a seq, which is older, or the first entry at or after a time, which is
   * newer.
   */
  center: { seq: number } | { ts: number };
  /** Entries at most, on each side of the center. */
  older: number;
  newer: number;
  /** Older entries are below this seq, and so is a center that a time gives. */
  below: number;
  /** Of each half, except for one entry. */
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
  /** The last seq of the older half. Undefined: everything below is before the time. */
  center: number | undefined;
  older: PageHalf;
  newer: PageHalf;
  /** The root of the thread; undefined if it is no message of the archive. */
  root: MessageState | undefined;
}

export interface HistoryOptions {
  epoch: string;
  atLeast: number;
  /** In order. Those that the archive does not have yet are applied to the page. */
  changes?: readonly LateChange[];
  deadlineMs: number;
}

export interface HistoryStore {
  readPage(query: PageQuery, options: HistoryOptions): Promise<ArchivedPage>;
}

export const archiveUnavailable = (cause: unknown): MaruError =>
  new MaruError('unavailable', 'older entries cannot be read now', { retryAfterMs: 1_000, cause });
