/**
 * An observable value that notifies its listeners a few times a second, not for every message of a
 * busy room.
 */
import type { Scheduler } from '@maru/client';

export interface Store<T> {
  get(): T;
  set(next: T): void;
  subscribe(listener: () => void): () => void;
  close(): void;
}

/**
 * Ten updates a second are enough for a reader. Each one redraws the page, which costs CPU, and
 * network traffic if the browser runs on a remote desktop.
 */
const NOTIFY_INTERVAL_MS = 100;

export function createStore<T>(initial: T, scheduler: Scheduler, intervalMs = NOTIFY_INTERVAL_MS): Store<T> {
  let value = initial;
  let notifiedAtMs = Number.NEGATIVE_INFINITY;
  let cancelNotify: (() => void) | null = null;
  const listeners = new Set<() => void>();

  const notify = () => {
    cancelNotify = null;
    notifiedAtMs = scheduler.now();
    for (const listener of [...listeners]) listener();
  };

  return {
    get: () => value,
    set(next) {
      if (next === value) return;
      value = next;
      // Notify in a later turn, so several changes of one event cause one update.
      cancelNotify ??= scheduler.after(Math.max(0, notifiedAtMs + intervalMs - scheduler.now()), notify);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      cancelNotify?.();
      listeners.clear();
    },
  };
}
