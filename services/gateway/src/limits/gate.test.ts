import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createGate } from './gate.ts';

test('so many run at once, the others in order, and places are given back after failures', async () => {
  const gate = createGate({ atOnceMax: 2, waitMaxMs: 5_000, onTimeout: () => new Error('late') });
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

test('what cannot begin in time is refused, and leaves no place behind', async () => {
  const gate = createGate({ atOnceMax: 1, waitMaxMs: 20, onTimeout: () => new Error('late') });
  const slow = gate.run(() => pause(60));
  await assert.rejects(
    gate.run(async () => {}),
    /late/,
  );
  await slow;
  assert.equal(await gate.run(async () => 'free'), 'free');
});
