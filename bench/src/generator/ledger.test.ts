import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CheckResult, Receipts, voidReasonsOf } from './ledger.ts';

const exact: CheckResult = {
  expected: 100,
  received: 100,
  missing: 0,
  duplicated: 0,
  unexpected: 0,
  unacknowledged: 0,
  lostConnections: 0,
};

test('counts each message number once, over a wide range of numbers', () => {
  const receipts = new Receipts();
  const numbers = [0, 31, 32, 8_191, 8_192, 100_000];
  for (const number of numbers) assert.equal(receipts.add(number), true);
  for (const number of numbers) assert.equal(receipts.add(number), false);
  assert.deepEqual({ received: receipts.received, duplicated: receipts.duplicated }, { received: 6, duplicated: 6 });
});

test('a run without faults counts', () => {
  assert.deepEqual(voidReasonsOf(exact), []);
});

for (const fault of ['missing', 'duplicated', 'unexpected', 'unacknowledged', 'lostConnections'] as const)
  test(`one ${fault} makes a run void`, () => {
    assert.equal(voidReasonsOf({ ...exact, [fault]: 1 }).length, 1);
  });

test('a run without messages is void', () => {
  assert.deepEqual(voidReasonsOf({ ...exact, expected: 0, received: 0 }), ['nothing was sent']);
});
