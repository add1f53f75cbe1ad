/** Repeats a piece of work with a pause between, never overlapping; its failures are reported and slow it down, never end it. */
export interface Loop {
  /** Resolves when the work under way has ended; none begins after. */
  stop(): Promise<void>;
}

export function startLoop(options: {
  pauseMs: number;
  work: () => Promise<void>;
  /** `first` is true for the first failure after a success, so that an outage fills no log. */
  onError: (error: unknown, first: boolean) => void;
}): Loop {
  let failures = 0;
  let stopped = false;
  let wake = () => {};
  const run = async () => {
    while (!stopped) {
      try {
        await options.work();
        failures = 0;
      } catch (error) {
        failures++;
        options.onError(error, failures === 1);
      }
      const pauseMs =
        failures === 0 ? options.pauseMs : Math.max(options.pauseMs, Math.min(100 * 2 ** failures, 1_000));
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
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
