/** Time and chance as collaborators, so that tests bring their own. */
export interface Scheduler {
  /** Milliseconds; only differences matter. */
  now(): number;
  /** Runs `task` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
