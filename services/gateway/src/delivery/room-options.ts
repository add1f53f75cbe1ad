/** The dependencies of a room on a node. */
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { ReadResult } from '../log/room-log.ts';
import type { RecentBudget } from './recent-entries.ts';

export interface RoomOptions {
  readAfter(room: string, seq: number, limit: number): Promise<ReadResult>;
  recentBudget: RecentBudget;
  /** Closed after a pause of the process. */
  gate?: Pick<PauseGate, 'isOpen' | 'pass'>;
  onSeen(room: string, epoch: string, seq: number): void;
  onDelivered(members: number): void;
  /**
   * An entry with the store's time `ts` was announced. It reached the members, unless a gap is
   * before it.
   */
  onAnnounced(ts: number): void;
  /** A user has read up to `seq`. */
  onReceipt(room: string, user: string, seq: number): void;
  onMalformed(): void;
  onBackfill(): void;
  onBackfillFailed(error: unknown): void;
  onDeleted(room: string): void;
  now(): number;
}
