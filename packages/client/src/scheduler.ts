/** Time and randomness, so that tests can control them. */
export interface Scheduler {
  /** Milliseconds. Only differences matter. */
  now(): number;
  /** Runs `task` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

export const systemScheduler: Scheduler = {
  // Monotonic, and comparable across reloads. A corrected wall clock must not change delays.
  now: () => performance.timeOrigin + performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
