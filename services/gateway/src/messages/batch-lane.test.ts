import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createBatchLane } from './batch-lane.ts';

function lane(
  send: (items: number[]) => Promise<Array<number | Error>>,
  overrides: { depthMax?: number; deadlineMs?: number; onStuck?: () => void } = {},
) {
  return createBatchLane<number, number>({
    send,
    batchMax: 3,
    depthMax: 10,
    deadlineMs: 200,
    onExpired: () => new Error('expired'),
    onOverflow: () => new Error('overflow'),
    onStuck: () => {},
    now: () => Date.now(),
    ...overrides,
  });
}

test('items of one turn share batches, in order, one batch under way at a time', async () => {
  const batches: number[][] = [];
  let underWay = 0;
  const work = lane(async (items) => {
    assert.equal(++underWay, 1);
    batches.push(items);
    await pause(2);
    underWay--;
    return items.map((item) => item * 10);
  });
  assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((item) => work.submit(item))), [10, 20, 30, 40, 50]);
  assert.deepEqual(batches, [
    [1, 2, 3],
    [4, 5],
  ]);
  assert.equal(work.depth, 0);
});

test('an error of one item is its own; an error of the batch is everyones', async () => {
  const one = lane(async (items) => items.map((item) => (item === 2 ? new Error('two') : item)));
  const settled = await Promise.allSettled([1, 2, 3].map((item) => one.submit(item)));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const all = lane(async () => {
    throw new Error('down');
  });
  await assert.rejects(all.submit(1), /down/);
  await assert.rejects(all.submit(1), /down/, 'the lane goes on after a failure');
});

test('what waits too long fails in time, is never sent, and a stuck batch is reported', async () => {
  const sent: number[] = [];
  let stuck = 0;
  let release = () => {};
  const work = lane(
    (items) => {
      sent.push(...items);
      return new Promise((resolve) => {
        release = () => resolve(items);
      });
    },
    { deadlineMs: 50, onStuck: () => stuck++ },
  );
  const first = assert.rejects(work.submit(1), /expired/);
  await pause(5);
  const second = assert.rejects(work.submit(2), /expired/);
  await Promise.all([first, second]);
  await pause(100);
  assert.ok(stuck >= 1);
  release();
  await pause(10);
  assert.deepEqual(sent, [1]);
  const third = work.submit(3);
  await pause(5);
  release();
  assert.equal(await third, 3);
});

test('more than the lane holds is refused at once', async () => {
  const work = lane(async (items) => items, { depthMax: 2 });
  const accepted = [work.submit(1), work.submit(2)];
  await assert.rejects(work.submit(3), /overflow/);
  assert.deepEqual(await Promise.all(accepted), [1, 2]);
});
