/** Acts such as an invitation are entries too: they have no text, and may have no `clientMsgId`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { RoomChecker } from './room-checker.ts';

const act = (seq: number, user: string): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: seq,
  n: 0,
  type: 'room.invite',
  from: { id: 'u', name: 'U' },
  data: { user },
});

function violationsOf(received: Entry[], history: Entry[]): string[] {
  const checker = new RoomChecker('r');
  checker.joined('x', { epoch: 'e', head: 0 });
  for (const entry of received) checker.received('x', entry);
  return checker.finish({ history, rollbacks: 0 });
}

const history = [act(1, 'jun'), act(2, 'mina')];

test('acts need no id and are not sent as messages', () => {
  assert.deepEqual(violationsOf(history, history), []);
});

test('a member must receive each act, as it is in history', () => {
  assert.match(violationsOf([act(1, 'jun')], history).join(), /I5: x ends at 1/);
  assert.match(violationsOf([act(1, 'jun'), act(2, 'mallory')], history).join(), /I3: another 2 was delivered/);
});
