/**
 * The node's periodic tick. Periodic work runs in one event loop turn every half second, or every
 * few ticks. An idle node wakes up once for all of it, and its Redis commands share a write.
 */
import type { Logger } from '@maru/service-kit';

export interface Ticker {
  /**
   * Calls `run` every `everyMs`, a multiple of the period, from the next tick on. Returns a
   * function that ends this.
   */
  join(everyMs: number, run: () => void): () => void;
}

export function createTicker(options: { periodMs: number; logger: Logger; now: () => number }): Ticker {
  const { periodMs, logger, now } = options;
  const jobs = new Set<{ everyTicks: number; run: () => void }>();
  let ticks = 0;
  let dueMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const wait = () => {
    timer = setTimeout(tick, dueMs - now());
  };

  const tick = () => {
    // A late tick does not delay the next ones. After a pause of the process, missed ticks are
    // skipped, so ticks never follow closely.
    dueMs = Math.max(dueMs + periodMs, now() + periodMs / 2);
    wait();
    ticks++;
    for (const { everyTicks, run } of jobs) {
      if (ticks % everyTicks !== 0) continue;
      try {
        run();
      } catch (error) {
        logger.error({ err: error }, 'periodic work failed');
      }
    }
  };

  return {
    join(everyMs, run) {
      const everyTicks = everyMs / periodMs;
      if (!Number.isInteger(everyTicks)) throw new RangeError(`${everyMs} ms is not a multiple of ${periodMs} ms`);
      const job = { everyTicks, run };
      jobs.add(job);
      if (jobs.size === 1) {
        dueMs = now() + periodMs;
        wait();
      }
      return () => {
        if (jobs.delete(job) && jobs.size === 0) clearTimeout(timer);
      };
    },
  };
}
