/** Of several tabs of one user, only one tells. The next one takes over when it is closed. */
type LockManager = Pick<Navigator['locks'], 'request'>;

export interface Leader {
  isLeading(): boolean;
  close(): void;
}

/** Where the browser has no locks, each tab leads. */
export function becomeLeader(name: string, locks: LockManager | undefined): Leader {
  if (locks === undefined) return { isLeading: () => true, close: () => {} };
  const waiting = new AbortController();
  let release: (() => void) | null = null;
  const hold = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  // It rejects when the waiting ends.
  locks.request(name, { signal: waiting.signal }, hold).catch(() => {});
  return {
    isLeading: () => release !== null,
    close() {
      waiting.abort();
      release?.();
      release = null;
    },
  };
}
