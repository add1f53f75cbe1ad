/** A value that can be watched. In a busy room it tells its watchers a few times a second, not once a message. */
import type { Scheduler } from '@maru/client';

export interface Store<T> {
  get(): T;
  set(next: T): void;
  subscribe(listener: () => void): () => void;
  close(): void;
}

/** Ten pictures a second are as many as anybody reads, and every one is work here and traffic where the screen is remote. */
const TELL_INTERVAL_MS = 100;

export function createStore<T>(initial: T, scheduler: Scheduler): Store<T> {
  let value = initial;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let cancelTell: (() => void) | null = null;
  const listeners = new Set<() => void>();

  const tell = () => {
    cancelTell = null;
    toldAtMs = scheduler.now();
    for (const listener of [...listeners]) listener();
  };

  return {
    get: () => value,
    set(next) {
      if (next === value) return;
      value = next;
      // The first change is told on the next turn, so that what one event changes at several places is one picture.
      cancelTell ??= scheduler.after(Math.max(0, toldAtMs + TELL_INTERVAL_MS - scheduler.now()), tell);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      cancelTell?.();
      listeners.clear();
    },
  };
}
