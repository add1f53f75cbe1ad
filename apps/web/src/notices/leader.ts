/** Elects one of the user's tabs to show notifications. When it closes, the next tab takes over. */
type LockManager = Pick<Navigator['locks'], 'request'>;

export interface Leader {
  isLeading(): boolean;
  close(): void;
}

/** In a browser without Web Locks, each tab is a leader. */
export function becomeLeader(name: string, locks: LockManager | undefined): Leader {
  if (locks === undefined) return { isLeading: () => true, close: () => {} };
  const waiting = new AbortController();
  let release: (() => void) | null = null;
  const hold = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  // The request rejects when the wait is aborted.
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
