import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendLog } from './send-log.ts';

/** Sends in this order, each with its connection and the stored seq or another outcome. */
function logOf(sends: ReadonlyArray<readonly [number | 'again', number | 'unknown' | 'refused']>) {
  const log = new SendLog();
  for (const [index, [connection, outcome]] of sends.entries()) {
    const send = log.add(`m-${index}`, { text: 'text' }, connection === 'again' ? 1 : connection);
    if (connection === 'again') send.connection = undefined;
    if (outcome === 'refused') send.outcome = { state: 'refused' };
    else if (outcome !== 'unknown') send.outcome = { state: 'stored', seq: outcome, duplicate: false };
  }
  return log;
}

test('counts sends of one connection that are stored in another order', () => {
  assert.equal(
    logOf([
      [1, 4],
      [1, 7],
      [1, 9],
    ]).swapped(),
    0,
  );
  assert.equal(
    logOf([
      [1, 4],
      [1, 2],
      [1, 9],
    ]).swapped(),
    1,
  );
});

test('expects no order between connections, after a refusal, or of repeated sends', () => {
  assert.equal(
    logOf([
      [1, 9],
      [2, 4],
      [2, 5],
    ]).swapped(),
    0,
  );
  assert.equal(
    logOf([
      [1, 9],
      [1, 'refused'],
      [1, 4],
    ]).swapped(),
    0,
  );
  assert.equal(
    logOf([
      [1, 9],
      ['again', 4],
      [1, 5],
    ]).swapped(),
    0,
  );
  assert.equal(
    logOf([
      [1, 9],
      ['again', 4],
      [2, 5],
      [2, 3],
    ]).swapped(),
    1,
  );
});

test('finds a swap with a send that was already forgotten', () => {
  const log = logOf([
    [1, 4],
    [1, 8],
    [1, 6],
  ]);
  log.forget(4);
  assert.deepEqual([...log.sends.keys()], ['m-1', 'm-2']);
  assert.equal(log.swapped(), 1);
  log.forget(8);
  assert.equal(log.sends.size, 0);
  assert.equal(log.swapped(), 1);
});

test('keeps sends without an outcome and counts them as unresolved', () => {
  const log = logOf([
    [1, 'unknown'],
    [1, 2],
  ]);
  log.forget(10);
  assert.equal(log.sends.size, 2);
  assert.equal(log.unresolved(), 1);
});

test('an act without effect keeps the order', () => {
  const log = logOf([[1, 4]]);
  const act = { type: 'message.pin', data: { seq: 1, active: true } } as const;
  log.add('act', { act }, 1).outcome = { state: 'stored', seq: 4, duplicate: true };
  assert.equal(log.swapped(), 0);
  log.add('act-2', { act }, 1).outcome = { state: 'stored', seq: 3, duplicate: false };
  assert.equal(log.swapped(), 1);
});
