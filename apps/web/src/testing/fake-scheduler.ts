import type { Scheduler } from '@maru/client';

/** A clock that moves only when the test advances it. */
export function fakeScheduler() {
  let now = 0;
  let tasks: Array<{ atMs: number; task: () => void }> = [];
  const scheduler: Scheduler = {
    now: () => now,
    wallNow: () => 0,
    random: () => 0.5,
    after(delayMs, task) {
      const entry = { atMs: now + delayMs, task };
      tasks.push(entry);
      return () => {
        tasks = tasks.filter((other) => other !== entry);
      };
    },
  };
  const pass = (ms: number) => {
    const until = now + ms;
    for (;;) {
      const next = tasks.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      tasks = tasks.filter((other) => other !== next);
      now = next.atMs;
      next.task();
    }
    now = until;
  };
  return { scheduler, pass };
}
