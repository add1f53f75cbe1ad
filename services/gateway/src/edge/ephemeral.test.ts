import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ephemeralRoom, isTypingBroadcast } from './ephemeral.ts';

const signal = { room: 'lobby', user: { id: 'u-1', name: 'Mina' }, active: true };
const message = (overrides: Record<string, unknown> = {}, data: unknown[] = ['typing', signal]) =>
  Buffer.from(
    JSON.stringify({
      uid: 'x',
      nsp: '/',
      type: 3,
      data: {
        opts: { rooms: [ephemeralRoom('lobby')], except: ['sid'], flags: { volatile: true } },
        packet: { type: 2, data },
      },
      ...overrides,
    }),
  );

test('a typing event for a room passes, also in a thread', () => {
  assert.equal(isTypingBroadcast(message()), true);
  assert.equal(isTypingBroadcast(message({}, ['typing', { ...signal, thread: 7 }])), true);
});

test('everything else that the adapter would execute is dropped', () => {
  for (let type = 0; type < 16; type++) if (type !== 3) assert.equal(isTypingBroadcast(message({ type })), false);
  for (const data of [
    ['message', signal],
    ['connection', {}],
    ['typing', {}],
    ['typing', { ...signal, more: 1 }],
    ['typing', { ...signal, thread: '7' }],
    [],
  ]) {
    assert.equal(isTypingBroadcast(message({}, data)), false);
  }
  assert.equal(
    isTypingBroadcast(
      message({ data: { opts: { rooms: [], except: [] }, packet: { type: 2, data: ['typing', signal] } } }),
    ),
    false,
  );
  assert.equal(isTypingBroadcast(Buffer.alloc(10_000, 0x20)), false);
});

test('the adapter never takes a room name for a socket id', () => {
  for (let length = 1; length <= 64; length++) assert.notEqual(ephemeralRoom('r'.repeat(length)).length, 20);
});
