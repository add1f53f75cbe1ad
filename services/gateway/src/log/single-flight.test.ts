import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaruError } from '@maru/protocol';
import { createSingleFlight } from './single-flight.ts';

/** A test fails if it waits for a read that never started. */
const ENDS = { timeout: 5_000 };

/** A fake store whose reads the test answers one by one. */
function store() {
  const reads: Array<PromiseWithResolvers<string>> = [];
  return {
    reads,
    read: () => {
      const read = Promise.withResolvers<string>();
      reads.push(read);
      return read.promise;
    },
  };
}

test('callers that arrive during a read share the next one, which starts after their call', ENDS, async () => {
  const { reads, read } = store();
  const shared = createSingleFlight<string>();
  const first = shared.read('room', read);
  const others = [shared.read('room', read), shared.read('room', read), shared.read('room', read)];
  const elsewhere = shared.read('other room', read);
  assert.equal(reads.length, 2, 'another key has a read of its own');
  reads[0]?.resolve('before');
  reads[1]?.resolve('elsewhere');
  assert.equal(await first, 'before');
  assert.equal(await elsewhere, 'elsewhere');
  assert.equal(reads.length, 3);
  const late = shared.read('room', read);
  reads[2]?.resolve('after');
  assert.deepEqual(await Promise.all(others), ['after', 'after', 'after']);
  assert.equal(reads.length, 4, 'a reader that asks during the second read shares a third one');
  reads[3]?.resolve('last');
  assert.equal(await late, 'last');
  assert.equal(reads.length, 4);
});

test('later callers do not get the result of a finished read', ENDS, async () => {
  const { reads, read } = store();
  const shared = createSingleFlight<string>();
  for (const answer of ['one', 'two']) {
    const asked = shared.read('room', read);
    reads.at(-1)?.resolve(answer);
    assert.equal(await asked, answer);
  }
  assert.equal(reads.length, 2);
});

test('if the store is unavailable, waiters fail at once and the next caller tries again', ENDS, async () => {
  const { reads, read } = store();
  const shared = createSingleFlight<string>();
  const waiting = [shared.read('room', read), shared.read('room', read), shared.read('room', read)];
  reads[0]?.reject(new MaruError('unavailable', 'no answer'));
  for (const asked of waiting) await assert.rejects(asked, /no answer/);
  assert.equal(reads.length, 1);
  const later = shared.read('room', read);
  reads[1]?.resolve('back');
  assert.equal(await later, 'back');
});

test('waiters do not receive the failure of an earlier read', ENDS, async () => {
  const { reads, read } = store();
  const shared = createSingleFlight<string>();
  const first = shared.read('room', read);
  const second = shared.read('room', read);
  reads[0]?.reject(new MaruError('not_found', 'there is no such room'));
  await assert.rejects(first, /no such room/);
  await new Promise(setImmediate);
  reads[1]?.resolve('it is there now');
  assert.equal(await second, 'it is there now');
});
