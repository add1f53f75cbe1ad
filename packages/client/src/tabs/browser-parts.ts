/** The browser APIs that store texts, if they are allowed. Tests replace them. */

/** Like `Storage` in browsers. */
export interface TextArea {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Like `LockManager` in browsers. A lock is held until the promise of `callback` settles. */
export interface Locks {
  request(
    name: string,
    options: { ifAvailable: true } | { signal: AbortSignal },
    callback: (lock: unknown) => Promise<void>,
  ): Promise<unknown>;
}

export interface BrowserParts {
  /** Storage of the device. Null if the browser forbids it. */
  local: TextArea | null;
  /** Storage of this tab. It survives reloads. */
  session: TextArea | null;
  /** Null on pages over plain HTTP, except from localhost. */
  locks: Locks | null;
  /** Calls `task` when the page becomes visible. Returns a function that stops watching. */
  onShow: (task: () => void) => () => void;
  after: (delayMs: number, task: () => void) => () => void;
}

const PROBE_KEY = 'maru.probe';

/** Browsers throw on access if storage is forbidden. */
function usable(area: () => TextArea | undefined): TextArea | null {
  try {
    const found = area();
    found?.setItem(PROBE_KEY, '');
    found?.removeItem(PROBE_KEY);
    return found ?? null;
  } catch {
    return null;
  }
}

interface Page {
  localStorage?: TextArea;
  sessionStorage?: TextArea;
  navigator?: { locks?: Locks };
  document?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'> & { visibilityState: string };
}

export function browserParts(): BrowserParts {
  const page = globalThis as Page;
  return {
    local: usable(() => page.localStorage),
    session: usable(() => page.sessionStorage),
    locks: page.navigator?.locks ?? null,
    onShow(task) {
      const onChange = () => {
        if (page.document?.visibilityState === 'visible') task();
      };
      page.document?.addEventListener('visibilitychange', onChange);
      return () => page.document?.removeEventListener('visibilitychange', onChange);
    },
    after(delayMs, task) {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

/** For pages without storage. It lasts as long as the page. */
export function pageArea(): TextArea {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()][index] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}
