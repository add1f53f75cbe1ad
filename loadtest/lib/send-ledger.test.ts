import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSendLedger } from './send-ledger.ts';

/** Sends in this order: connection and the number it was stored under, or what became of it. */
function ledgerOf(sends: ReadonlyArray<readonly [number | 'again', number | 'unknown' | 'refused']>) {
  const ledger = createSendLedger();
  for (const [index, [connection, fate]] of sends.entries()) {
    const send = ledger.add(`m-${index}`, 'text', connection === 'again' ? 1 : connection);
    if (connection === 'again') send.connection = undefined;
    if (fate === 'refused') send.outcome = { state: 'refused' };
    else if (fate !== 'unknown') send.outcome = { state: 'stored', seq: fate };
  }
  return ledger;
}

test('sends of one connection that were stored in another order are swapped', () => {
  assert.equal(
    ledgerOf([
      [1, 4],
      [1, 7],
      [1, 9],
    ]).swapped(),
    0,
  );
  assert.equal(
    ledgerOf([
      [1, 4],
      [1, 2],
      [1, 9],
    ]).swapped(),
    1,
  );
});

test('no order is promised between connections, after a refusal, or to what was sent again', () => {
  assert.equal(
    ledgerOf([
      [1, 9],
      [2, 4],
      [2, 5],
    ]).swapped(),
    0,
  );
  assert.equal(
    ledgerOf([
      [1, 9],
      [1, 'refused'],
      [1, 4],
    ]).swapped(),
    0,
  );
  assert.equal(
    ledgerOf([
      [1, 9],
      ['again', 4],
      [1, 5],
    ]).swapped(),
    0,
  );
  assert.equal(
    ledgerOf([
      [1, 9],
      ['again', 4],
      [2, 5],
      [2, 3],
    ]).swapped(),
    1,
  );
});

test('a swap is found across what was forgotten', () => {
  const ledger = ledgerOf([
    [1, 4],
    [1, 8],
    [1, 6],
  ]);
  ledger.forget(4);
  assert.deepEqual([...ledger.sends.keys()], ['m-1', 'm-2']);
  assert.equal(ledger.swapped(), 1);
  ledger.forget(8);
  assert.equal(ledger.sends.size, 0);
  assert.equal(ledger.swapped(), 1);
});

test('what is not settled is not forgotten, and is unresolved', () => {
  const ledger = ledgerOf([
    [1, 'unknown'],
    [1, 2],
  ]);
  ledger.forget(10);
  assert.equal(ledger.sends.size, 2);
  assert.equal(ledger.unresolved(), 1);
});
