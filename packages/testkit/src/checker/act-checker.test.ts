import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { LIMITS } from '@maru/protocol/limits';
import { ErasureChecker, PINS_PER_ROOM_MAX } from './act-checker.ts';
import type { MessageAct } from './content.ts';

const pin = (seq: number, active = true): MessageAct => ({ type: 'message.pin', data: { seq, active } });
const entryOf = (act: MessageAct, index: number): Entry => ({
  ...{ room: 'r', epoch: 'e', seq: index + 1, ts: 1_000, n: 0, clientMsgId: `m${index}` },
  ...{ type: act.type, data: act.data, from: { id: 'u', name: 'U' } },
});

const refusalOf = (act: MessageAct, acts: MessageAct[]): string[] => {
  const checker = new ErasureChecker();
  checker.refused(act.data.seq, 'conflict', act);
  return checker.finish(acts.map(entryOf));
};

test('a pin may be refused only if the room had the maximum of pinned messages', () => {
  assert.equal(PINS_PER_ROOM_MAX, LIMITS.pinsPerRoomMax);
  const pins = Array.from({ length: LIMITS.pinsPerRoomMax }, (_, index) => pin(index + 1));
  const reported = ['I1: an act on 500 was refused as conflict'];
  assert.deepEqual(refusalOf(pin(500), pins), []);
  assert.deepEqual(refusalOf(pin(500), pins.slice(1)), reported);
  assert.deepEqual(refusalOf(pin(500), [...pins.slice(1), pin(2, false), pin(1)]), reported);
  const deletion: MessageAct = { type: 'message.delete', data: { seq: 2 } };
  assert.deepEqual(refusalOf(pin(500), [...pins.slice(1), deletion, pin(1)]), reported);
  const edit: MessageAct = { type: 'message.edit', data: { seq: 500, text: 'new' } };
  assert.deepEqual(refusalOf(edit, pins), reported);
});
