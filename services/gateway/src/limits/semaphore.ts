/** Lets so many pieces of work run at once; the others wait in order. Waiting and work have one deadline together. */

export interface Semaphore {
  /** Rejects with `onTimeout()` where the work is not done in time: what has not begun by then never does, the result of the rest is dropped. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createSemaphore(options: { atOnceMax: number; deadlineMs: number; onTimeout: () => Error }): Semaphore {
  const { atOnceMax, deadlineMs, onTimeout } = options;
  let running = 0;
  const waiting = new Set<() => void>();

  const leave = () => {
    const [next] = waiting;
    // The place is handed over, so `running` stays as it is.
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
            leave();
          }
        };
        const timer = setTimeout(() => {
          waiting.delete(begin);
          reject(onTimeout());
        }, deadlineMs);
        if (running === atOnceMax) {
          waiting.add(begin);
          return;
        }
        running++;
        void begin();
      }),
  };
}
