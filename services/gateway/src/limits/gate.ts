/** Lets so many pieces of work run at once; the others wait in order, and only so long. */

export interface Gate {
  /** Rejects with `onTimeout()` where the work could not begin in time. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(options: { atOnceMax: number; waitMaxMs: number; onTimeout: () => Error }): Gate {
  const { atOnceMax, waitMaxMs, onTimeout } = options;
  let running = 0;
  const waiting = new Set<() => void>();

  const enter = (): Promise<void> => {
    if (running < atOnceMax) {
      running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(begin);
        reject(onTimeout());
      }, waitMaxMs);
      waiting.add(begin);
    });
  };

  const leave = () => {
    const [next] = waiting;
    // The place is handed over, so `running` stays as it is.
    if (next !== undefined) next();
    else running--;
  };

  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
