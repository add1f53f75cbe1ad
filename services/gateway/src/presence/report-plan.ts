/**
 * Decides which request keeps the presence service informed about this node. Pure: time is an
 * argument, and the caller sends the requests.
 *
 * Reports go one at a time. A report is repeated unchanged until the service acknowledges it. The
 * plan begins a new epoch and reports the whole state when the service asks for it, when the queue
 * has overflowed, and at regular intervals.
 */
import { type Operation, REPORT_OPS_MAX } from '@maru/presence-api';
import type { LocalPresence } from './local-presence.ts';
import type { ReportQueue } from './report-queue.ts';

export interface ReportTiming {
  /** Changes are collected this long before they are reported. */
  batchMs: number;
  /** Interval of lease renewals. */
  renewMs: number;
  /**
   * Like `batchMs`, but for statuses. It is longer, because a status goes to all rooms of a user.
   */
  statusBatchMs: number;
  /** Interval of full states, plus or minus a fifth. They repair unnoticed errors. */
  routineSyncMs: number;
}

export type SyncReason = 'start' | 'asked' | 'overflow' | 'routine';

/** The next request. `none`: nothing to send yet. */
export type ReportStep =
  | { type: 'sync'; startedAt: number | undefined; reason: SyncReason }
  | { type: 'renew'; nodeEpoch: number; seq: number }
  | { type: 'report'; nodeEpoch: number; seq: number; ops: Operation[]; commit: boolean }
  | { type: 'none' };

interface Epoch {
  nodeEpoch: number;
  /** The last acknowledged report. */
  seq: number;
  nextRoutineSyncAt: number;
  /** The rest of the whole state. Undefined when all of it was reported. */
  state: Generator<Operation> | undefined;
  /** Not acknowledged yet. */
  pending: { ops: Operation[]; commit: boolean } | undefined;
}

/**
 * Changes take at most this share of a report, so that a busy node still reports its whole state.
 */
const CHANGES_SHARE = 0.75;

export class ReportPlan {
  readonly #local: LocalPresence;
  readonly #queue: ReportQueue;
  readonly #timing: ReportTiming;
  #startedAt: number | undefined;
  #epoch: Epoch | undefined;
  #syncReason: SyncReason = 'start';
  #renewAt = 0;
  #statusesAt = 0;

  constructor(options: { local: LocalPresence; queue: ReportQueue; timing: ReportTiming }) {
    this.#local = options.local;
    this.#queue = options.queue;
    this.#timing = options.timing;
  }

  /** Undefined before the first epoch, and while a new one must start. */
  get nodeEpoch(): number | undefined {
    return this.#epoch?.nodeEpoch;
  }

  /** The service knows the whole state of this node, except what is queued. */
  get isSynced(): boolean {
    return this.#epoch !== undefined && this.#epoch.state === undefined;
  }

  get isEverythingReported(): boolean {
    return this.#queue.size === 0 && this.#epoch?.pending === undefined;
  }

  /** A full report is waiting. */
  get hasMore(): boolean {
    return this.#epoch?.state !== undefined || this.#queue.size >= REPORT_OPS_MAX;
  }

  next(now: number): ReportStep {
    if (this.#queue.hasOverflowed) this.resync('overflow');
    if (this.isSynced && now >= (this.#epoch?.nextRoutineSyncAt ?? 0)) this.resync('routine');
    const epoch = this.#epoch;
    if (epoch === undefined) return { type: 'sync', startedAt: this.#startedAt, reason: this.#syncReason };
    if (now >= this.#renewAt) return { type: 'renew', nodeEpoch: epoch.nodeEpoch, seq: epoch.seq };
    epoch.pending ??= this.#collect(epoch, now);
    if (epoch.pending === undefined) return { type: 'none' };
    return { type: 'report', nodeEpoch: epoch.nodeEpoch, seq: epoch.seq + 1, ...epoch.pending };
  }

  /** The service began an epoch. `jitter` is a random number from 0 to 1. */
  synced(answer: { startedAt: number; nodeEpoch: number }, now: number, jitter: number): void {
    this.#startedAt = answer.startedAt;
    // From here on every change is in the queue or in the state, which is read lazily.
    this.#queue.clear();
    this.#epoch = {
      nodeEpoch: answer.nodeEpoch,
      seq: 0,
      nextRoutineSyncAt: now + this.#timing.routineSyncMs * (0.8 + jitter * 0.4),
      state: this.#local.fullState({ isLost: this.#syncReason !== 'routine' }),
      pending: undefined,
    };
    this.#renewAt = now + this.#timing.renewMs;
  }

  renewed(now: number): void {
    this.#renewAt = now + this.#timing.renewMs;
  }

  reported(): void {
    if (this.#epoch === undefined) return;
    this.#epoch.seq++;
    this.#epoch.pending = undefined;
  }

  resync(reason: SyncReason): void {
    this.#epoch = undefined;
    this.#syncReason = reason;
  }

  /** The time until the next step, unless a change comes earlier. */
  pauseMs(now: number): number {
    const { batchMs } = this.#timing;
    const epoch = this.#epoch;
    const isWaiting = this.#queue.size > 0 || this.#queue.hasOverflowed;
    if (isWaiting || epoch === undefined || epoch.pending !== undefined || epoch.state !== undefined) return batchMs;
    return Math.max(batchMs, Math.min(this.#renewAt, epoch.nextRoutineSyncAt) - now);
  }

  /** The operations of the next report. Undefined if there are none. */
  #collect(epoch: Epoch, now: number): Epoch['pending'] {
    const statuses = now >= this.#statusesAt;
    const ops = this.#queue.take(REPORT_OPS_MAX * CHANGES_SHARE, { statuses });
    if (statuses) this.#statusesAt = now + this.#timing.statusBatchMs;
    let commit = false;
    while (epoch.state !== undefined && ops.length < REPORT_OPS_MAX) {
      const next = epoch.state.next();
      if (next.done !== true) {
        ops.push(next.value);
        continue;
      }
      epoch.state = undefined;
      commit = true;
    }
    return ops.length === 0 && !commit ? undefined : { ops, commit };
  }
}
