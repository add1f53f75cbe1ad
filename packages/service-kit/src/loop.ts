/**
 * Repeats work with a pause in between. Runs never overlap. A failure slows the loop down but never
 * ends it.
 */
export interface Loop {
  /** Resolves when the running work has ended. No work starts after that. */
  stop(): Promise<void>;
}

const BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 1_000;

export function startLoop(options: {
  pauseMs: number;
  /** If it resolves with `again`, the loop runs again without a pause. */
  work: () => Promise<unknown>;
  /** `isFirst`: the first failure after a success. Log only that one. */
  onError: (error: unknown, isFirst: boolean) => void;
}): Loop {
  let failures = 0;
  let stopped = false;
  let wake = () => {};
  const run = async () => {
    while (!stopped) {
      try {
        const next = await options.work();
        failures = 0;
        if (next === 'again') continue;
      } catch (error) {
        failures++;
        options.onError(error, failures === 1);
      }
      const backoffMs = failures === 0 ? 0 : Math.min(BACKOFF_MS * 2 ** failures, BACKOFF_MAX_MS);
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(options.pauseMs, backoffMs));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const ended = run();
  return {
    stop: () => {
      stopped = true;
      wake();
      return ended;
    },
  };
}
