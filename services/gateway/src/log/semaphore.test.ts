import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createSemaphore } from './semaphore.ts';

test('permits limit concurrency, waiters run in order, and failures release permits', async () => {
  const gate = createSemaphore({ permits: 2, deadlineMs: 5_000, onTimeout: () => new Error('late') });
  let [running, most] = [0, 0];
  const order: number[] = [];
  const work = (index: number) => async () => {
    most = Math.max(most, ++running);
    order.push(index);
    await pause(2);
    running--;
    if (index % 3 === 0) throw new Error('failed');
  };
  const settled = await Promise.allSettled(Array.from({ length: 9 }, (_, index) => gate.run(work(index))));
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(settled.filter(({ status }) => status === 'rejected').length, 3);
});

test('work that cannot begin in time is refused and holds no permit', async () => {
  const gate = createSemaphore({ permits: 1, deadlineMs: 20, onTimeout: () => new Error('late') });
  const work = pause(60);
  const slow = assert.rejects(
    gate.run(() => work),
    /late/,
  );
  const refused = assert.rejects(
    gate.run(async () => assert.fail('it was begun')),
    /late/,
  );
  await Promise.all([slow, refused, work]);
  assert.equal(await gate.run(async () => 'free'), 'free');
});

test('work that starts late has only the rest of its deadline, and holds its permit until it ends', async () => {
  const gate = createSemaphore({ permits: 1, deadlineMs: 500, onTimeout: () => new Error('late') });
  const order: string[] = [];
  let endWork: (() => void) | undefined;
  const first = gate.run(() => pause(5));
  const second = gate.run(() => {
    order.push('begun');
    return new Promise<void>((resolve) => {
      endWork = resolve;
    });
  });
  await first;
  // Much longer than the deadline, which ends although the work continues.
  await assert.rejects(Promise.race([second, pause(5_000)]), /late/);
  assert.deepEqual(order, ['begun']);
  const third = gate.run(async () => void order.push('third'));
  order.push('ended');
  endWork?.();
  await third;
  assert.deepEqual(order, ['begun', 'ended', 'third']);
});
