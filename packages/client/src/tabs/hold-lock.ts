/** Locks that show whether a tab still lives: the browser releases them when it ends. */
import type { BrowserParts, Locks } from './browser-parts.ts';

/** Holds the lock until the returned function is called. Null if another tab holds it. */
export function holdLock(locks: Locks, name: string): Promise<(() => void) | null> {
  return request(locks, name, { ifAvailable: true });
}

/** The same, but waits until the lock is free. */
export async function waitForLock(
  locks: Locks,
  name: string,
  { after, waitMs }: Pick<BrowserParts, 'after'> & { waitMs: number },
): Promise<(() => void) | null> {
  const over = new AbortController();
  const cancel = after(waitMs, () => over.abort());
  const release = await request(locks, name, { signal: over.signal });
  cancel();
  return release;
}

function request(locks: Locks, name: string, options: Parameters<Locks['request']>[1]): Promise<(() => void) | null> {
  return new Promise((resolve) => {
    const held = (lock: unknown) =>
      new Promise<void>((release) => {
        if (lock !== null) return resolve(release);
        resolve(null);
        release();
      });
    // Rejects when the wait is over, or if locks are forbidden.
    locks.request(name, options, held).catch(() => resolve(null));
  });
}
