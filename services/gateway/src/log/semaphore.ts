/** Limits concurrent work. Further work waits in order. One deadline covers waiting and working. */

export interface Semaphore {
  /**
   * Rejects with `onTimeout()` at the deadline. Work that has already begun continues, but its
   * result is dropped.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createSemaphore(options: { permits: number; deadlineMs: number; onTimeout: () => Error }): Semaphore {
  const { permits, deadlineMs, onTimeout } = options;
  let running = 0;
  const waiting = new Set<() => void>();

  const release = () => {
    const [next] = waiting;
    // The next work takes over the permit, so `running` does not change.
    if (next !== undefined) next();
    else running--;
  };

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        const begin = async () => {
          waiting.delete(begin);
          try {
            resolve(await work());
          } catch (error) {
            reject(error);
          } finally {
            clearTimeout(timer);
            release();
          }
        };
        const timer = setTimeout(() => {
          waiting.delete(begin);
          reject(onTimeout());
        }, deadlineMs);
        if (running === permits) {
          waiting.add(begin);
          return;
        }
        running++;
        void begin();
      }),
  };
}
