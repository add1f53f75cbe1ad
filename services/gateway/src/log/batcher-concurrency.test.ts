import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SEND_AGAIN } from './batcher.ts';
import { byHand, createTestBatcher, type Destination, type Outcome, turns } from './testing/batcher-rig.ts';

test('items leave while a batch is in flight; beyond the limit they wait and share a batch', async () => {
  const { send, answer, items } = byHand();
  const work = createTestBatcher(send, { deadlineMs: 10_000 });
  const results: Array<Promise<number>> = [];
  for (const item of [1, 2, 3, 4]) {
    results.push(work.submit(item));
    await turns();
  }
  assert.deepEqual(items(), [[1], [2]]);
  assert.equal(work.depth, 4);
  await answer(1, 20);
  assert.deepEqual(items(), [[1], [2], [3, 4]], 'a batch that was answered makes room, the first one or not');
  assert.equal(work.depth, 3);
  await answer(2, 30, 40);
  await answer(0, 10);
  assert.deepEqual(await Promise.all(results), [10, 20, 30, 40]);
  assert.equal(work.depth, 0);
});

test('a busy group does not starve the others', async () => {
  const { send, answer, items } = byHand();
  const work = createTestBatcher(send, { groupOf: (item) => item % 2, batchesInFlightMax: 2, deadlineMs: 10_000 });
  const results = [1, 3, 5, 7, 9, 11, 13, 2].map((item) => work.submit(item));
  await turns();
  assert.deepEqual(items(), [
    [1, 3, 5],
    [2, 7, 9],
  ]);
  await answer(0, 1, 3, 5);
  await answer(1, 2, 7, 9);
  await answer(2, 11, 13);
  assert.deepEqual(await Promise.all(results), [1, 3, 5, 7, 9, 11, 13, 2]);
});

test('a failing batch does not fail other batches in flight', async () => {
  const { send, answer, sent } = byHand();
  const work = createTestBatcher(send);
  const first = work.submit(1);
  await turns();
  const second = work.submit(2);
  await turns();
  sent[0]?.fail(new Error('down'));
  await assert.rejects(first, /down/);
  await answer(1, 2);
  assert.equal(await second, 2);
  assert.equal(work.depth, 0);
});

for (const [how, order] of [
  ['in order', [0, 1]],
  ['the other way round', [1, 0]],
] as const) {
  test(`batches of a group that return ${how} are sent again in order, before later items`, async () => {
    const { send, answer, sent, items } = byHand();
    const work = createTestBatcher(send, { deadlineMs: 800, batchesInFlightMax: 3 });
    const first = work.submit(1);
    await turns();
    const second = work.submit(2);
    await turns();
    await answer(order[0], SEND_AGAIN);
    const third = work.submit(3);
    // Longer than the group is held.
    await pause(100);
    assert.deepEqual(items(), [[1], [2]], 'nothing is sent while an item of the group is in flight');
    await answer(order[1], SEND_AGAIN);
    assert.equal(work.depth, 3);
    while (sent.length < 3) await pause(1);
    assert.deepEqual(sent[2]?.items, [1, 2, 3]);
    await answer(2, 1, 2, 3);
    assert.deepEqual(await Promise.all([first, second, third]), [1, 2, 3]);
    assert.equal(work.depth, 0);
  });

  test(`an item that a later batch has overtaken is rejected, answered ${how}`, async () => {
    const { send, answer, items } = byHand();
    // The deadline is so long that no tick helps.
    const work = createTestBatcher(send, { deadlineMs: 10_000, batchesInFlightMax: 3 });
    const first = work.submit(1);
    await turns();
    const second = work.submit(2);
    await turns();
    const outcomes: Outcome[] = [SEND_AGAIN, order[0] === 0 ? 2 : new Error('perhaps done')];
    const refused = assert.rejects(first, /overtaken/);
    const other = order[0] === 0 ? second : assert.rejects(second, /perhaps done/);
    await answer(order[0], outcomes[order[0]] as Outcome);
    await answer(order[1], outcomes[order[1]] as Outcome);
    await Promise.all([refused, other]);
    assert.equal(work.depth, 0);
    const third = work.submit(3);
    await turns();
    assert.deepEqual(items(), [[1], [2], [3]], 'nothing came back that it would have to wait for');
    await answer(2, 3);
    assert.equal(await third, 3);
  });
}

test('items behind an overtaken item leave as soon as it is rejected', async () => {
  const { send, answer, items } = byHand();
  const work = createTestBatcher(send, { deadlineMs: 10_000, batchesInFlightMax: 3 });
  const first = assert.rejects(work.submit(1), /overtaken/);
  await turns();
  const second = work.submit(2);
  await turns();
  await answer(0, SEND_AGAIN);
  const third = work.submit(3);
  await turns();
  assert.deepEqual(items(), [[1], [2]]);
  await answer(1, 2);
  await first;
  assert.deepEqual(items(), [[1], [2], [3]]);
  await answer(2, 3);
  assert.deepEqual(await Promise.all([second, third]), [2, 3]);
});

test('a group that changes its destination waits until none of its items is in flight; other groups continue', async () => {
  const { send, answer, sent } = byHand();
  const [a, b]: Destination[] = [{ name: 'a' }, { name: 'b' }];
  let home = a;
  const work = createTestBatcher(send, {
    groupOf: (item) => item % 2,
    destinationOf: (group) => (group === 1 ? home : a),
    deadlineMs: 800,
    batchesInFlightMax: 4,
  });
  const results: Array<Promise<number>> = [];
  const submit = async (item: number) => {
    results.push(work.submit(item));
    await turns();
  };
  const seen = () => sent.map(({ items, destination }) => [destination.name, ...items]);
  await submit(1);
  await submit(3);
  home = b;
  await submit(5);
  await submit(2);
  assert.deepEqual(seen(), [
    ['a', 1],
    ['a', 3],
    ['a', 2],
  ]);
  await answer(0, 1);
  assert.equal(sent.length, 3, 'one of two is still there');
  await answer(1, 3);
  assert.deepEqual(seen()[3], ['b', 5], 'at once, without a tick');
  home = a;
  await answer(3, SEND_AGAIN);
  while (sent.length < 5) await pause(1);
  assert.deepEqual(seen()[4], ['a', 5]);
  await answer(2, 2);
  await answer(4, 5);
  assert.deepEqual(await Promise.all(results), [1, 3, 5, 2]);
  assert.equal(work.depth, 0);
});
