/**
 * Notices that the pings of the server stop: the path is dead, or the server is. One timer for a
 * connection: a packet only notes the time.
 */
import type { Scheduler } from './scheduler.ts';

export interface PingWatchOptions {
  scheduler: Scheduler;
  withinMs: number;
  /** Nothing arrived for `withinMs`, this many times in a row. */
  onMissed: (times: number) => void;
}

export interface PingWatch {
  /** A packet arrived. */
  heard(): void;
  stop(): void;
}

export function watchPings({ scheduler, withinMs, onMissed }: PingWatchOptions): PingWatch {
  let sinceMs = scheduler.now();
  let missed = 0;
  let cancel = () => {};
  const wait = () => {
    cancel = scheduler.after(sinceMs + withinMs - scheduler.now(), look);
  };
  const look = () => {
    const now = scheduler.now();
    const isMissed = now - sinceMs >= withinMs;
    if (isMissed) sinceMs = now;
    wait();
    // Last, because it may stop this.
    if (isMissed) onMissed(++missed);
  };
  wait();
  return {
    heard() {
      sinceMs = scheduler.now();
      missed = 0;
    },
    stop: () => cancel(),
  };
}
