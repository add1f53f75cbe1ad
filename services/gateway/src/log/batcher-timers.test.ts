import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEND_AGAIN } from './batcher.ts';
import { byHand, createTestBatcher, type Destination, ONLY, turns, watch } from './testing/batcher-rig.ts';

test('expired items fail at their deadline, in flight or waiting, and are never sent again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { send, answer, items } = byHand();
  const work = createTestBatcher(send, { groupOf: (item) => item });
  const first = watch(work.submit(1));
  await turns();
  t.mock.timers.tick(100);
  const second = watch(work.submit(2));
  await turns();
  t.mock.timers.tick(99);
  assert.equal(await first(), 'pending');
  t.mock.timers.tick(1);
  assert.equal(await first(), 'expired');
  await turns();
  t.mock.timers.tick(100);
  assert.equal(await second(), 'expired');
  const third = watch(work.submit(3));
  await turns();
  for (let ms = 0; ms < 213; ms++) {
    t.mock.timers.tick(1);
    await turns();
  }
  assert.equal(await third(), 'expired', 'at most a sixteenth of the deadline late');
  assert.equal(work.depth, 2, 'the outcome of the two in flight is unknown');
  await answer(0, SEND_AGAIN);
  await answer(1, 2);
  assert.equal(work.depth, 0);
  t.mock.timers.tick(1_000);
  await turns();
  assert.deepEqual(items(), [[1], [2]]);
});

test('an expired item is not sent, even before a tick', async () => {
  const { send, answer, items } = byHand();
  let clock = 0;
  const work = createTestBatcher(send, {
    groupOf: (item) => item,
    batchesInFlightMax: 1,
    deadlineMs: 10_000,
    now: () => clock,
  });
  const first = work.submit(1);
  await turns();
  const second = assert.rejects(work.submit(2), /expired/);
  await turns();
  clock = 10_000;
  await answer(0, 1);
  await second;
  assert.equal(await first, 1);
  assert.deepEqual(items(), [[1]]);
  assert.equal(work.depth, 0);
});

test('a batch without an answer delays no later item', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { send, answer } = byHand();
  const work = createTestBatcher(send, { groupOf: (item) => item });
  const first = assert.rejects(work.submit(1), /expired/);
  await turns();
  for (let ms = 0; ms < 410; ms += 10) {
    t.mock.timers.tick(10);
    await turns();
  }
  let expiredAt = 0;
  const late = assert.rejects(work.submit(2), /expired/).then(() => {
    expiredAt = Date.now();
  });
  await turns();
  for (let ms = 0; ms < 300; ms += 10) {
    t.mock.timers.tick(10);
    await turns();
  }
  await Promise.all([first, late]);
  assert.ok(expiredAt >= 610 && expiredAt <= 635, `it failed at ${expiredAt}`);
  await answer(0, 1);
  await answer(1, 2);
  assert.equal(work.depth, 0);
});

test('a trickle of items costs one wake-up per deadline, an idle batcher none', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const arms = t.mock.method(globalThis, 'setTimeout');
  const work = createTestBatcher(async (items) => items);
  for (let item = 0; item < 100; item++) {
    assert.equal(await work.submit(item), item);
    await turns();
    t.mock.timers.tick(10);
    await turns();
  }
  // One second of a trickle, with a deadline of 200 ms.
  assert.ok(arms.mock.callCount() >= 4 && arms.mock.callCount() <= 6, `${arms.mock.callCount()} timers`);
  t.mock.timers.tick(200);
  await turns();
  const count = arms.mock.callCount();
  t.mock.timers.tick(10_000);
  await turns();
  assert.equal(arms.mock.callCount(), count);
});

test('an unneeded timer does not keep the process alive', async (t) => {
  const arms = t.mock.method(globalThis, 'setTimeout');
  const { send, answer } = byHand();
  const work = createTestBatcher(send, { deadlineMs: 10_000 });
  const hasRef = () => (arms.mock.calls[0]?.result as NodeJS.Timeout | undefined)?.hasRef();
  for (const n of [0, 1]) {
    const result = work.submit(n);
    await turns();
    assert.equal(hasRef(), true);
    await answer(n, n);
    assert.equal(hasRef(), false);
    assert.equal(await result, n);
  }
  assert.equal(arms.mock.callCount(), 1);
});

test('waiting items are checked soon, even if a later timer was set', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { send, answer, items } = byHand();
  let home: Destination | undefined = ONLY;
  const work = createTestBatcher(send, { destinationOf: () => home });
  const first = work.submit(1);
  await turns();
  home = undefined;
  const second = work.submit(2);
  await turns();
  home = ONLY;
  t.mock.timers.tick(13);
  await turns();
  assert.deepEqual(items(), [[1], [2]]);
  await answer(0, 1);
  await answer(1, 2);
  assert.deepEqual(await Promise.all([first, second]), [1, 2]);
});

test('a single item costs one event loop turn, and its answer none', async (t) => {
  const work = createTestBatcher(async (items) => items);
  const { mock: immediates } = t.mock.method(globalThis, 'setImmediate');
  for (let item = 1; item <= 3; item++) {
    assert.equal(await work.submit(item), item);
    for (let tick = 0; tick < 10; tick++) await undefined;
  }
  assert.equal(immediates.callCount(), 3);
});
