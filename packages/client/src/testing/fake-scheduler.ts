/** A clock that moves only when the test advances it. */
import type { Scheduler } from '../scheduler.ts';

export function createFakeScheduler() {
  let now = 0;
  let wallAheadMs = 0;
  let tasks: Array<{ atMs: number; task: () => void }> = [];
  const scheduler: Scheduler = {
    now: () => now,
    wallNow: () => now + wallAheadMs,
    random: () => 0.5,
    after(delayMs, task) {
      const timer = { atMs: now + delayMs, task };
      tasks.push(timer);
      return () => {
        tasks = tasks.filter((other) => other !== timer);
      };
    },
  };
  return {
    scheduler,
    timers: () => tasks.length,
    /** Runs the tasks that become due, each at its time. */
    pass(ms: number): void {
      const until = now + ms;
      for (;;) {
        const next = tasks.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        tasks = tasks.filter((other) => other !== next);
        now = Math.max(now, next.atMs);
        next.task();
      }
      now = until;
    },
    /** Time passes, but no timer runs: the process is stopped. */
    stop(ms: number): void {
      now += ms;
    },
    /** The device sleeps, and its monotonic clock also stops. Or: the wall clock is corrected. */
    moveWallClock(ms: number): void {
      wallAheadMs += ms;
    },
  };
}
