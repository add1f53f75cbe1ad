/**
 * Detects that the server is reachable again while an attempt to connect hangs. An attempt that
 * started on a dead network path may hang for its whole timeout, because its packets were lost. A
 * new request shows whether the path works. It sends nothing while a connection is open, or if the
 * first attempt succeeds soon.
 */
import type { Scheduler } from './scheduler.ts';

/** Resolves to false if there is no answer. Never rejects. */
export type Reach = () => Promise<boolean>;

export interface PathCheckOptions {
  scheduler: Scheduler;
  reach: Reach;
  everyMs: number;
  /** Whether the path was dead when this attempt started, as far as known. */
  wasDead: boolean;
  /** The path was dead and works now. A path that never was dead is only slow, so keep waiting. */
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

/** Any answer counts, including an error of a proxy. */
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
