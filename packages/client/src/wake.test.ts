import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { createFakeScheduler } from './testing/fake-scheduler.ts';
import { watchWake } from './wake.ts';

function setUp(t: TestContext) {
  const clock = createFakeScheduler();
  const happened: string[] = [];
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const window = new EventTarget();
  const before = globalThis as { document?: unknown; addEventListener?: unknown; removeEventListener?: unknown };
  Object.assign(before, {
    document: page,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  });
  t.after(() => {
    delete before.document;
    delete before.addEventListener;
    delete before.removeEventListener;
  });
  const stop = watchWake({
    scheduler: clock.scheduler,
    onOnline: () => void happened.push('online'),
    onOffline: () => void happened.push('offline'),
    onWake: () => void happened.push('wake'),
  });
  return { clock, happened, page, window, stop };
}

it('reports a lost network, a returned network, and a page that becomes visible', (t) => {
  const { happened, page, window, stop } = setUp(t);
  window.dispatchEvent(new Event('offline'));
  window.dispatchEvent(new Event('online'));
  window.dispatchEvent(new Event('pageshow'));
  page.dispatchEvent(new Event('resume'));
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(happened, ['offline', 'online', 'wake', 'wake', 'wake']);
  stop();
  window.dispatchEvent(new Event('online'));
  assert.equal(happened.length, 5);
});

it('reports sleep in which timers stood still', (t) => {
  const { clock, happened, stop } = setUp(t);
  clock.pass(60_000);
  assert.deepEqual(happened, []);
  clock.stop(60_000);
  clock.pass(1);
  assert.deepEqual(happened, ['wake']);
  stop();
  assert.equal(clock.timers(), 0);
});

it('reports sleep in which the monotonic clock stood still, too', (t) => {
  const { clock, happened } = setUp(t);
  clock.moveWallClock(3_600_000);
  clock.pass(10_000);
  assert.deepEqual(happened, ['wake']);
  clock.pass(60_000);
  assert.deepEqual(happened, ['wake']);
});

it('does not mistake a wall clock that is set back for sleep', (t) => {
  const { clock, happened } = setUp(t);
  clock.moveWallClock(-3_600_000);
  clock.pass(60_000);
  assert.deepEqual(happened, []);
});
