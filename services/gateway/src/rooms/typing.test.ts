import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TypingSignal } from '@maru/protocol';
import type { RoomLog } from '../log/room-log.ts';
import { createTyping } from './typing.ts';

function rig() {
  const signals: TypingSignal[] = [];
  let nowMs = 0;
  const typing = createTyping({
    log: { read: () => assert.fail('read') } as unknown as RoomLog,
    ephemeral: { typing: (signal) => void signals.push(signal) },
    now: () => nowMs,
  });
  const session = { id: 'c', user: { id: 'mina', name: 'Mina' }, subscriptions: new Map([['tea', {}]]) };
  const type = (more: object = {}) => typing(session, { room: 'tea', active: true, ...more });
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { signals, type, wait };
}

test('typing includes the thread if there is one', async () => {
  const { signals, type } = rig();
  const user = { id: 'mina', name: 'Mina' };
  await type();
  await type({ thread: 7 });
  assert.deepEqual(signals, [
    { room: 'tea', user, active: true },
    { room: 'tea', user, active: true, thread: 7 },
  ]);
});

test('a repetition within a second is dropped, but not in another thread, and not the end of typing', async () => {
  const { signals, type, wait } = rig();
  for (let count = 0; count < 3; count++) await type({ thread: 7 });
  assert.equal(signals.length, 1);
  await type({ thread: 8 });
  await type({ thread: 8, active: false });
  assert.equal(signals.length, 3);
  wait(1_000);
  await type({ thread: 8, active: false });
  assert.equal(signals.length, 4);
});
