/**
 * Keeps the service's knowledge of this node true. One report at a time, each repeated until it is acknowledged; whenever
 * that cannot mend it (the service asks, the queue ran over, from time to time anyway) the whole state is told under a new epoch.
 */
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { LocalPresence } from './local-presence.ts';
import { type PresenceHttp, REPORT_OPS_MAX } from './presence-http.ts';
import type { PresenceClientMetrics } from './presence-metrics.ts';
import type { ReportQueue } from './report-queue.ts';
import type { Op } from './wire.ts';

export interface ReporterTiming {
  /** Operations are collected for so long. */
  batchMs: number;
  beatMs: number;
  /** A user's status reaches all its rooms, so changes of mind are collected for longer. */
  statusBatchMs: number;
  /** The whole state is told anew so often, give or take a fifth: what nobody noticed missing heals. */
  routineSyncMs: number;
}

export const DEFAULT_TIMING: ReporterTiming = {
  batchMs: 100,
  beatMs: 5_000,
  statusBatchMs: 500,
  routineSyncMs: 10 * 60 * 1_000,
};

const BACKOFF_MAX_MS = 2_000;
const STOP_PATIENCE_MS = 500;

interface Epoch {
  nodeEpoch: number;
  /** The last report that was acknowledged. */
  seq: number;
  nextRoutineSyncAt: number;
  /** What is left of the whole state; undefined once it is told. */
  state: Generator<Op> | undefined;
  /** Not acknowledged yet; goes first, unchanged. */
  pending: { ops: Op[]; commit: boolean } | undefined;
}

type SyncReason = 'start' | 'asked' | 'overflow' | 'routine';

export interface Reporter {
  start(): void;
  /** Ends reporting and says goodbye. Never rejects. */
  stop(): Promise<void>;
  /** Something was queued: it is told within `withinMs` after a quiet while, and with others otherwise. */
  poke(withinMs: number): void;
  /** Resolves when all that was queued is told, or after `patienceMs`. Never rejects. */
  settled(patienceMs: number): Promise<void>;
  /** The service knows this node's whole state, but for what is queued. */
  isSynced(): boolean;
}

export function createReporter(options: {
  /** Random; names this process among those of the same node. */
  process: string;
  http: PresenceHttp;
  local: LocalPresence;
  queue: ReportQueue;
  timing: ReporterTiming;
  metrics: PresenceClientMetrics;
  logger: Logger;
  now: () => number;
}): Reporter {
  const { http, local, queue, timing, metrics, logger, now } = options;
  let startedAt: number | undefined;
  let epoch: Epoch | undefined;
  let syncReason: SyncReason = 'start';
  let nextBeatAt = 0;
  let nextStatusesAt = 0;
  let failures = 0;
  let isStopped = false;
  let lastReportAt = 0;
  let reporting = false;
  const waiting = new Set<() => void>();
  let wakeWithin: (ms: number) => void = () => {};
  let running: Promise<void> | undefined;

  const resync = (reason: SyncReason) => {
    epoch = undefined;
    syncReason = reason;
  };

  const sync = async () => {
    const begun = await http.sync({ process: options.process, ...(startedAt === undefined ? {} : { startedAt }) });
    startedAt = begun.startedAt;
    // From here on every change is either in the queue or in the state that is still to be read.
    queue.clear();
    const routineMs = timing.routineSyncMs * (0.8 + Math.random() * 0.4);
    epoch = {
      nodeEpoch: begun.nodeEpoch,
      seq: 0,
      nextRoutineSyncAt: now() + routineMs,
      state: local.fullState(),
      pending: undefined,
    };
    nextBeatAt = now() + timing.beatMs;
    metrics.syncs.inc({ reason: syncReason });
  };

  /** Undefined where there is nothing to tell. */
  const nextReport = (current: Epoch): Epoch['pending'] => {
    const statuses = now() >= nextStatusesAt;
    // Three quarters at most, so that a busy node still gets its whole state told.
    const ops = queue.take(REPORT_OPS_MAX * 0.75, { statuses });
    if (statuses) nextStatusesAt = now() + timing.statusBatchMs;
    let commit = false;
    while (current.state !== undefined && ops.length < REPORT_OPS_MAX) {
      const next = current.state.next();
      if (next.done !== true) {
        ops.push(next.value);
        continue;
      }
      current.state = undefined;
      commit = true;
    }
    return ops.length === 0 && !commit ? undefined : { ops, commit };
  };

  const beat = async (current: Epoch) => {
    const { resync: isAsked } = await http.beat({ nodeEpoch: current.nodeEpoch, seq: current.seq });
    nextBeatAt = now() + timing.beatMs;
    if (isAsked) resync('asked');
  };

  const report = async (current: Epoch): Promise<boolean> => {
    current.pending ??= nextReport(current);
    if (current.pending === undefined) return false;
    lastReportAt = now();
    const answer = await http.report({
      nodeEpoch: current.nodeEpoch,
      seq: current.seq + 1,
      ...current.pending,
    });
    if (answer.resync) {
      resync('asked');
      return true;
    }
    current.seq++;
    current.pending = undefined;
    return current.state !== undefined || queue.size >= REPORT_OPS_MAX;
  };

  /** One step; true if there is more to do at once. */
  const turn = async (): Promise<boolean> => {
    if (queue.hasOverflowed) resync('overflow');
    if (epoch !== undefined && epoch.state === undefined && now() >= epoch.nextRoutineSyncAt) resync('routine');
    if (epoch === undefined) {
      await sync();
      return true;
    }
    if (now() >= nextBeatAt) {
      await beat(epoch);
      return true;
    }
    return report(epoch);
  };

  /** While there is nothing to tell it sleeps until the next beat, or until it is poked. */
  const untilNext = (): number => {
    const hasMore = queue.size > 0 || queue.hasOverflowed;
    if (hasMore || epoch === undefined || epoch.pending !== undefined || epoch.state !== undefined)
      return timing.batchMs;
    return Math.max(timing.batchMs, Math.min(nextBeatAt, epoch.nextRoutineSyncAt) - now());
  };

  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      let endsAt = now() + ms;
      let timer = setTimeout(resolve, ms);
      wakeWithin = (withinMs) => {
        if (now() + withinMs >= endsAt) return;
        endsAt = now() + withinMs;
        clearTimeout(timer);
        timer = setTimeout(resolve, withinMs);
      };
    });

  const run = async () => {
    while (!isStopped) {
      let pauseMs = 0;
      try {
        reporting = true;
        if (!(await turn())) pauseMs = untilNext();
        if (failures > 0) logger.info({ failures }, 'presence answers again');
        failures = 0;
      } catch (error) {
        failures++;
        if (failures === 1) logger.warn({ err: error }, 'presence cannot be told; trying again');
        const code = error instanceof MaruError ? error.code : 'internal';
        // Repeating what was refused would be refused again.
        if (code === 'invalid') resync('asked');
        const backoffMs = Math.min(timing.batchMs * 2 ** Math.min(failures, 10), BACKOFF_MAX_MS);
        // Another process has the name; it may end some time.
        pauseMs = (code === 'conflict' ? timing.beatMs : backoffMs) * (0.5 + Math.random() / 2);
      } finally {
        reporting = false;
        if (queue.size === 0 && epoch?.pending === undefined) for (const resolve of waiting) resolve();
      }
      if (isStopped) return;
      if (pauseMs > 0) {
        await sleep(pauseMs);
        wakeWithin = () => {};
      }
    }
  };

  return {
    start() {
      running ??= run();
    },
    async stop() {
      isStopped = true;
      wakeWithin(0);
      // A report that hangs must not hold up the end; once this node has left, it counts for nothing.
      await Promise.race([running, new Promise((resolve) => setTimeout(resolve, STOP_PATIENCE_MS).unref())]);
      if (epoch === undefined) return;
      try {
        await http.depart({ nodeEpoch: epoch.nodeEpoch });
      } catch (error) {
        logger.warn({ err: error }, 'presence could not be told that this node leaves; its lease will end');
      }
      epoch = undefined;
    },
    poke(withinMs) {
      if (failures === 0 && !reporting) wakeWithin(Math.max(withinMs, lastReportAt + timing.batchMs - now()));
    },
    settled(patienceMs) {
      if (failures > 0 || (queue.size === 0 && !reporting)) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, patienceMs);
        waiting.add(done);
      });
    },
    isSynced: () => epoch !== undefined && epoch.state === undefined,
  };
}
