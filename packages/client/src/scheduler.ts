/** Time and randomness, so that tests can control them. */
export interface Scheduler {
  /** Milliseconds of a monotonic clock: only differences matter, and corrections change nothing. */
  now(): number;
  /** Milliseconds since 1970, for displayed times only. It may jump. */
  wallNow(): number;
  /** Runs `task` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

export const systemScheduler: Scheduler = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
