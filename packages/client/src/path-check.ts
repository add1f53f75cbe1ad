/**
 * Notices that the server can be reached again while a try to connect hangs. A try that began on a
 * dead path may hang for its whole timeout, because what it sent is lost. A new request shows that
 * the path lives. Nothing is asked while a connection is open, or when the first try succeeds soon.
 */
import type { Scheduler } from './scheduler.ts';

/** False if no answer comes. Never rejects. */
export type Reach = () => Promise<boolean>;

export interface PathCheckOptions {
  scheduler: Scheduler;
  reach: Reach;
  everyMs: number;
  /** The path was dead when this try began, as far as it is known. */
  wasDead: boolean;
  /** The path was dead and lives now. A path that never was dead is only slow: wait. */
  onBack: () => void;
}

/** Returns a function that stops it. */
export function checkPath({ scheduler, reach, everyMs, wasDead, onBack }: PathCheckOptions): () => void {
  let isDead = wasDead;
  let isOver = false;
  let cancel = () => {};
  const ask = () => {
    cancel = scheduler.after(everyMs, ask);
    void reach().then((lives) => {
      if (isOver) return;
      if (lives && isDead) onBack();
      isDead = !lives;
    });
  };
  cancel = scheduler.after(everyMs / 2, ask);
  return () => {
    isOver = true;
    cancel();
  };
}

/** Any answer will do, also an error of a proxy. */
export function reachOver(url: string, timeoutMs: number): Reach {
  return async () => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      await fetch(`${url}/`, { method: 'HEAD', mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal });
      return true;
    } catch {
      return false;
    }
  };
}
