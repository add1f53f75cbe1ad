/** Loads the parser once. Until then, texts are shown as typed. */
export interface Formatter<T> {
  /** Null until it is loaded. */
  get: () => T | null;
  subscribe: (listener: () => void) => () => void;
  /** Starts the load. After a failure, the next call tries again. */
  load: () => void;
}

export function createFormatter<T>(load: () => Promise<T>): Formatter<T> {
  const listeners = new Set<() => void>();
  let part: T | null = null;
  let isLoading = false;
  return {
    get: () => part,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    load: () => {
      if (part !== null || isLoading) return;
      isLoading = true;
      load()
        .then((loaded) => {
          part = loaded;
          for (const listener of [...listeners]) listener();
        })
        .catch((error: unknown) => console.warn('texts are shown as typed', error))
        .finally(() => {
          isLoading = false;
        });
    },
  };
}
