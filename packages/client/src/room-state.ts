/** State, inputs and effects of the ordering machine of a room. */
import type { Entry, HistoryData, JoinData, NotRecoveredReason, Position, ResumedRoom } from '@maru/protocol/events';

/** `unreadable`: the log's answers lack an entry that must exist. */
export type GapReason = NotRecoveredReason | 'unreadable';

/**
 * The goal of a backfill: the entries after the position, or the newest if those are not available.
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
  /** Waits for a join or a resume. `position` is null if nothing was delivered yet. */
  | { phase: 'waiting'; position: Position | null; readId: number }
  | { phase: 'live'; position: Position; readId: number }
  | Backfilling;

export type RoomInput =
  | { type: 'offline' }
  /** `wanted`: number of entries that the host wants. The request may have asked for fewer. */
  | { type: 'joined'; data: JoinData; wanted: number }
  | { type: 'resumed'; answer: Exclude<ResumedRoom, { error: unknown }> }
  | { type: 'entry'; entry: Entry }
  | { type: 'page'; readId: number; data: HistoryData }
  /** A read was refused with `conflict`: the log has another epoch. */
  | { type: 'page-conflict'; readId: number }
  | { type: 'epoch'; epoch: string; head: number }
  /** The log is known to have more entries than arrived. */
  | { type: 'behind' };

export type RoomEffect =
  /**
   * `readAt`: the messages have their form of the time when the log ended there, not their original
   * form.
   */
  | { do: 'deliver'; entries: readonly Entry[]; readAt?: number }
  /** The next entries do not continue those up to `after`. */
  | { do: 'gap'; reason: GapReason; after: Position }
  /** Delivered entries above `head` are no longer in the log. */
  | { do: 'rollback'; epoch: string; head: number }
  /**
   * `missing`: number of entries before the first held one. Null if unknown. `stalledReads` above
   * 0: the same read returned nothing new before, so wait.
   */
  | { do: 'read-after'; readId: number; position: Position; missing: number | null; stalledReads: number }
  | { do: 'read-newest'; readId: number };
