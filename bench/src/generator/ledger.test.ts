import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Receipts, type Verdict, whyVoid } from './ledger.ts';

const exact: Verdict = {
  expected: 100,
  received: 100,
  missing: 0,
  doubled: 0,
  strays: 0,
  unacknowledged: 0,
  lostConnections: 0,
};

test('each number counts once, however far apart they are', () => {
  const receipts = new Receipts();
  const numbers = [0, 31, 32, 8_191, 8_192, 100_000];
  for (const number of numbers) assert.equal(receipts.take(number), true);
  for (const number of numbers) assert.equal(receipts.take(number), false);
  assert.deepEqual({ received: receipts.received, doubled: receipts.doubled }, { received: 6, doubled: 6 });
});

test('a run without a fault counts', () => {
  assert.deepEqual(whyVoid(exact), []);
});

for (const fault of ['missing', 'doubled', 'strays', 'unacknowledged', 'lostConnections'] as const)
  test(`one of ${fault} makes a run void`, () => {
    assert.equal(whyVoid({ ...exact, [fault]: 1 }).length, 1);
  });

test('a run in which nothing was sent proves nothing', () => {
  assert.deepEqual(whyVoid({ ...exact, expected: 0, received: 0 }), ['nothing was sent']);
});
