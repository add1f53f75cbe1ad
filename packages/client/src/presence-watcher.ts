/**
 * Keeps a presence view of each watched room: a snapshot on every connection, then differences.
 * Fetches a new snapshot if a view is stale.
 */
import type { PresenceDiff } from '@maru/protocol/events';
import type { Request } from './ack.ts';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents } from './events.ts';
import type { ClientLogger } from './logger.ts';
import { applyDiff, type PresenceView, viewOfSnapshot } from './presence-view.ts';
import type { Scheduler } from './scheduler.ts';

/** Minimum time between two snapshots of a room, in case its users and its count never match. */
const SNAPSHOT_INTERVAL_MIN_MS = 10_000;

export interface PresenceWatcherOptions {
  request: Request;
  events: Pick<Emitter<ClientEvents>, 'emit'>;
  scheduler: Scheduler;
  logger: ClientLogger;
}

export interface PresenceWatcher {
  /**
   * `isReady`: the room is joined on the current connection. Otherwise `onReady` is called later.
   */
  want(room: string, state: { isWanted: boolean; isReady: boolean }): void;
  /** The room was joined on the current connection. */
  onReady(room: string): void;
  /** The room was left, which also ends the watch on the server. */
  forget(room: string): void;
  onDiff(diff: PresenceDiff): void;
  onLost(): void;
}

interface Watch {
  view: PresenceView | null;
  askedAtMs: number;
  failedTries: number;
  cancelTimer: () => void;
}

export function createPresenceWatcher(options: PresenceWatcherOptions): PresenceWatcher {
  const { request, events, scheduler, logger } = options;
  const wanted = new Set<string>();
  const watches = new Map<string, Watch>();

  const ask = (room: string, watch: Watch) => {
    watch.cancelTimer();
    watch.askedAtMs = scheduler.now();
    request('presence:watch', { room }, (result) => {
      if (watches.get(room) !== watch) return;
      if (result.ok) {
        watch.failedTries = 0;
        return show(room, watch, viewOfSnapshot(result.data));
      }
      if (!mayRetry(result.error)) {
        return logger.warn('presence is not available', { room, code: result.error.code });
      }
      const delayMs = backoffMs({
        attempt: watch.failedTries++,
        random: scheduler.random(),
        bounds: REQUEST_BACKOFF,
        atLeastMs: result.error.retryAfterMs,
      });
      watch.cancelTimer = scheduler.after(delayMs, () => ask(room, watch));
    });
  };

  const show = (room: string, watch: Watch, view: PresenceView) => {
    watch.view = view;
    events.emit('presence', { room, view });
  };

  const stop = (room: string) => {
    watches.get(room)?.cancelTimer();
    watches.delete(room);
  };

  const start = (room: string) => {
    stop(room);
    const watch: Watch = { view: null, askedAtMs: 0, failedTries: 0, cancelTimer: () => {} };
    watches.set(room, watch);
    ask(room, watch);
  };

  return {
    want(room, { isWanted, isReady }) {
      if (isWanted === wanted.has(room)) return;
      if (isWanted) wanted.add(room);
      else wanted.delete(room);
      if (isWanted && isReady) start(room);
      if (isWanted) return;
      stop(room);
      // If this is not answered, differences are ignored until the next connection.
      if (isReady) request('presence:unwatch', { room }, () => {});
    },
    onReady(room) {
      if (wanted.has(room)) start(room);
    },
    forget(room) {
      wanted.delete(room);
      stop(room);
    },
    onDiff(diff) {
      const watch = watches.get(diff.room);
      // Differences follow the snapshot. An earlier one belongs to a previous watch.
      if (watch?.view == null) return;
      const view = applyDiff(watch.view, diff);
      show(diff.room, watch, view);
      if (!view.stale) return;
      const waitMs = Math.max(0, watch.askedAtMs + SNAPSHOT_INTERVAL_MIN_MS - scheduler.now());
      watch.cancelTimer();
      watch.cancelTimer = scheduler.after(waitMs, () => ask(diff.room, watch));
    },
    onLost() {
      for (const room of [...watches.keys()]) stop(room);
    },
  };
}
