/** What the ordering machine of a room holds, takes and returns. */
import type { Entry, HistoryData, JoinData, NotRecoveredReason, Position, ResumedRoom } from '@maru/protocol/events';

/** `unreadable`: the log's answers lack an entry that must exist. */
export type GapReason = NotRecoveredReason | 'unreadable';

/**
 * What a backfill reads: the entries after the position, or the newest if those are not available.
 */
export type Want = { kind: 'after' } | { kind: 'newest'; reason: GapReason };

export interface Backfilling {
  phase: 'backfilling';
  position: Position;
  want: Want;
  /** Ascending, without duplicates, possibly with gaps. */
  held: readonly Entry[];
  /** Entries were dropped, so the log must be read to its end again. */
  overflowed: boolean;
  readId: number;
  stalledReads: number;
}

export type RoomState =
  /** Waiting to be joined or resumed. `position` is null if nothing was delivered yet. */
  | { phase: 'waiting'; position: Position | null; readId: number }
  | { phase: 'live'; position: Position; readId: number }
  | Backfilling;

export type RoomInput =
  | { type: 'offline' }
  /** `wanted`: entries that the host wants. The answer may have been asked for fewer. */
  | { type: 'joined'; data: JoinData; wanted: number }
  | { type: 'resumed'; answer: Exclude<ResumedRoom, { error: unknown }> }
  | { type: 'entry'; entry: Entry }
  | { type: 'page'; readId: number; data: HistoryData }
  /** A read was answered with `conflict`: the log has another epoch. */
  | { type: 'page-conflict'; readId: number }
  | { type: 'epoch'; epoch: string; head: number }
  /** The log is known to reach further than what arrived. */
  | { type: 'behind' };

export type RoomEffect =
  /** `readAt`: the messages are as they were when the log ended there, not as appended. */
  | { do: 'deliver'; entries: readonly Entry[]; readAt?: number }
  /** The next entries do not continue those up to `after`. */
  | { do: 'gap'; reason: GapReason; after: Position }
  /** Delivered entries above `head` are no longer in the log. */
  | { do: 'rollback'; epoch: string; head: number }
  /**
   * `missing`: entries up to the first held one; null if unknown. `stalledReads` above 0: the same
   * read returned nothing new before, so wait.
   */
  | { do: 'read-after'; readId: number; position: Position; missing: number | null; stalledReads: number }
  | { do: 'read-newest'; readId: number };
