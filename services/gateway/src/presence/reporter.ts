/** Carries out the report plan: sends one request at a time, waits between them, and retries. */
import { MaruError } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { PresenceHttp } from './presence-http.ts';
import type { PresenceClientMetrics } from './presence-metrics.ts';
import type { ReportPlan, ReportTiming } from './report-plan.ts';

export const DEFAULT_REPORT_TIMING: ReportTiming = {
  batchMs: 100,
  renewMs: 5_000,
  statusBatchMs: 500,
  routineSyncMs: 10 * 60 * 1_000,
};

const BACKOFF_MAX_MS = 2_000;
const STOP_TIMEOUT_MS = 500;

export interface ReporterOptions {
  /** A random name of this process. It tells apart processes that use the same node name. */
  process: string;
  http: PresenceHttp;
  plan: ReportPlan;
  timing: ReportTiming;
  metrics: PresenceClientMetrics;
  logger: Logger;
  now: () => number;
}

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #sleep: WakeableSleep;
  readonly #flushed = new Set<() => void>();
  #failures = 0;
  #isStopped = false;
  #isSending = false;
  #lastReportAt = 0;
  #running: Promise<void> | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#sleep = new WakeableSleep(options.now);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Stops reporting and releases the lease. Never rejects. */
  async stop(): Promise<void> {
    const { http, plan, logger } = this.#options;
    this.#isStopped = true;
    this.#sleep.wakeWithin(0);
    // Do not wait for a report that hangs: after the departure the service ignores it.
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS).unref())]);
    const { nodeEpoch } = plan;
    if (nodeEpoch === undefined) return;
    try {
      await http.depart({ nodeEpoch });
    } catch (error) {
      logger.warn({ err: error }, 'the presence lease could not be released; it will expire');
    }
    plan.resync('start');
  }

  /**
   * A change was queued. Reports it within `withinMs`, or later to keep the pause between reports.
   */
  wake(withinMs: number): void {
    if (this.#failures > 0 || this.#isSending) return;
    const { now, timing } = this.#options;
    this.#sleep.wakeWithin(Math.max(withinMs, this.#lastReportAt + timing.batchMs - now()));
  }

  /** Resolves when everything queued is reported, or after `timeoutMs`. Never rejects. */
  flushed(timeoutMs: number): Promise<void> {
    const isIdle = this.#options.plan.isEverythingReported && !this.#isSending;
    if (this.#failures > 0 || isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#flushed.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#flushed.add(done);
    });
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const pauseMs = await this.#turn();
      if (this.#isStopped) return;
      if (pauseMs > 0) await this.#sleep.sleep(pauseMs);
    }
  }

  /** Sends one request. Returns the pause before the next one. */
  async #turn(): Promise<number> {
    const { plan, logger } = this.#options;
    this.#isSending = true;
    try {
      const pauseMs = await this.#step();
      if (this.#failures > 0) logger.info({ failures: this.#failures }, 'presence answers again');
      this.#failures = 0;
      return pauseMs;
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.#isSending = false;
      if (plan.isEverythingReported) for (const resolve of this.#flushed) resolve();
    }
  }

  async #step(): Promise<number> {
    const { http, plan, metrics, now, process } = this.#options;
    const step = plan.next(now());
    switch (step.type) {
      case 'sync': {
        const { startedAt, reason } = step;
        const answer = await http.sync({ process, ...(startedAt === undefined ? {} : { startedAt }) });
        plan.synced(answer, now(), Math.random());
        metrics.syncs.inc({ reason });
        return 0;
      }
      case 'renew': {
        const { resync } = await http.renew({ nodeEpoch: step.nodeEpoch, seq: step.seq });
        plan.renewed(now());
        if (resync) plan.resync('asked');
        return 0;
      }
      case 'report': {
        const { type: _, ...report } = step;
        this.#lastReportAt = now();
        const { resync } = await http.report(report);
        if (resync) plan.resync('asked');
        else plan.reported();
        return resync || plan.hasMore ? 0 : plan.pauseMs(now());
      }
      case 'none':
        return plan.pauseMs(now());
    }
  }

  #failed(error: unknown): number {
    const { plan, timing, logger } = this.#options;
    this.#failures++;
    if (this.#failures === 1) logger.warn({ err: error }, 'a presence report failed; retrying');
    const code = error instanceof MaruError ? error.code : 'internal';
    // The service would refuse the same report again.
    if (code === 'invalid') plan.resync('asked');
    const backoffMs = Math.min(timing.batchMs * 2 ** Math.min(this.#failures, 10), BACKOFF_MAX_MS);
    // `conflict`: another process uses the node name. Retry slowly, because that process may end.
    return (code === 'conflict' ? timing.renewMs : backoffMs) * (0.5 + Math.random() / 2);
  }
}

/** A pause that can be shortened. */
class WakeableSleep {
  readonly #now: () => number;
  #shorten: (withinMs: number) => void = () => {};

  constructor(now: () => number) {
    this.#now = now;
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      let endsAt = this.#now() + ms;
      let timer = setTimeout(resolve, ms);
      this.#shorten = (withinMs) => {
        if (this.#now() + withinMs >= endsAt) return;
        endsAt = this.#now() + withinMs;
        clearTimeout(timer);
        timer = setTimeout(resolve, withinMs);
      };
    });
    this.#shorten = () => {};
  }

  wakeWithin(ms: number): void {
    this.#shorten(ms);
  }
}
