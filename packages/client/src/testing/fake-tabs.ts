/** Fake tabs of one device. Each has its own storage. They share locks and the device's storage. */
import { type BrowserParts, type Locks, pageArea, type TextArea } from '../tabs/browser-parts.ts';
import { createFakeScheduler } from './fake-scheduler.ts';

class FakeLocks implements Locks {
  readonly #held = new Set<string>();
  readonly #queue: Array<{ name: string; run: () => void }> = [];

  async request(
    name: string,
    options: { ifAvailable?: true; signal?: AbortSignal },
    callback: (lock: unknown) => Promise<void>,
  ): Promise<void> {
    if (this.#held.has(name)) {
      if (options.ifAvailable) return callback(null);
      await new Promise<void>((resolve, reject) => {
        const waiting = { name, run: resolve };
        this.#queue.push(waiting);
        options.signal?.addEventListener('abort', () => {
          this.#queue.splice(this.#queue.indexOf(waiting), 1);
          reject(new Error('aborted'));
        });
      });
    }
    this.#held.add(name);
    await callback({ name });
    this.#held.delete(name);
    const next = this.#queue.findIndex((waiting) => waiting.name === name);
    if (next >= 0) this.#queue.splice(next, 1)[0]?.run();
  }
}

const copyOf = (area: TextArea): TextArea => {
  const copy = pageArea();
  for (let i = 0; i < area.length; i++) {
    const key = area.key(i) ?? '';
    copy.setItem(key, area.getItem(key) ?? '');
  }
  return copy;
};

export interface FakeTab extends BrowserParts {
  local: TextArea;
  session: TextArea;
  clock: ReturnType<typeof createFakeScheduler>;
  show(): void;
}

export function fakeDevice({ hasLocks = true } = {}) {
  const local = pageArea();
  const locks = hasLocks ? new FakeLocks() : null;
  const openTab = (session = pageArea()): FakeTab => {
    const clock = createFakeScheduler();
    const tasks = new Set<() => void>();
    return {
      ...{ local, session, locks, clock },
      after: clock.scheduler.after,
      onShow(task) {
        tasks.add(task);
        return () => void tasks.delete(task);
      },
      show: () => {
        for (const task of [...tasks]) task();
      },
    };
  };
  return { local, openTab, duplicate: (tab: FakeTab) => openTab(copyOf(tab.session)) };
}
