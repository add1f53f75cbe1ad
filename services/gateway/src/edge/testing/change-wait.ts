import type { TestContext } from 'node:test';

/** During the test, each wait of `fromMs` lasts `toMs` instead. */
export function changeWait(t: TestContext, fromMs: number, toMs: number): void {
  const { setTimeout: wait } = globalThis;
  const changed = (done: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    wait(done, ms === fromMs ? toMs : ms, ...args);
  t.mock.method(globalThis, 'setTimeout', changed as typeof setTimeout);
}
