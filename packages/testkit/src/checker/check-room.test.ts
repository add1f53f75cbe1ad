import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { checkRoom, type ReceivedLog, type Sent } from './check-room.ts';

const entry = (seq: number): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1000 + seq,
  n: seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
});
const sent = (seq: number, change: Partial<Sent> = {}): Sent => ({
  user: 'u',
  connection: 'c',
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
  outcome: seq,
  ...change,
});
const log = (entries: Entry[], floor = 0): ReceivedLog => ({ member: 'x', floor, entries });
const history = [entry(1), entry(2), entry(3)];
const sends = [sent(1), sent(2), sent(3)];
const good = { history, members: [log(history)], sends, complete: true };

test('reports no violations in a correct room', () => {
  assert.deepEqual(checkRoom(good), []);
  assert.deepEqual(checkRoom({ ...good, members: [log([entry(3)], 2)] }), []);
});

test('reports a member that does not reach the end, but only if all must', () => {
  const members = [log(history.slice(0, 2))];
  assert.match(checkRoom({ ...good, members }).join(), /I5: x ends at 2/);
  assert.deepEqual(checkRoom({ ...good, members, complete: false }), []);
});

test('reports an acknowledged message that is missing in history', () => {
  assert.match(checkRoom({ ...good, sends: [...sends, sent(4)] }).join(), /I1: acknowledged 4/);
});

test('reports swapped sends, except retried ones', () => {
  assert.match(checkRoom({ ...good, sends: [sent(2), sent(1), sent(3)] }).join(), /I3: c had 1 stored after 2/);
  assert.deepEqual(checkRoom({ ...good, sends: [sent(2), sent(1, { retried: true }), sent(3)] }), []);
});
