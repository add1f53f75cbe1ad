import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, ProtocolError, socketUrl } from './packets.ts';

test('the open packet carries the heartbeat times', () => {
  const frame = '0{"sid":"gateway-1.ab","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":131072}';
  assert.deepEqual(decode(frame), {
    type: 'open',
    sid: 'gateway-1.ab',
    pingIntervalMs: 25_000,
    pingTimeoutMs: 20_000,
  });
});

test('distinguishes connect, refusal and disconnect', () => {
  assert.deepEqual(decode('40{"sid":"x"}'), { type: 'connected', sid: 'x' });
  assert.deepEqual(decode('44{"message":"no","data":{"code":"unauthenticated"}}'), {
    type: 'refused',
    message: 'no',
    data: { code: 'unauthenticated' },
  });
  assert.deepEqual(decode('41'), { type: 'disconnected' });
});

test('answers the ping 2 with the pong 3', () => {
  assert.deepEqual(decode('2'), { type: 'ping' });
  assert.equal(encode.pong(), '3');
});

test('reads and writes the ids of events and acknowledgements', () => {
  assert.deepEqual(decode('42["message",{"seq":1}]'), {
    type: 'event',
    name: 'message',
    args: [{ seq: 1 }],
    ackId: undefined,
  });
  assert.deepEqual(decode('4217["ask"]'), { type: 'event', name: 'ask', args: [], ackId: 17 });
  assert.deepEqual(decode('430[{"ok":true,"data":{}}]'), { type: 'ack', id: 0, args: [{ ok: true, data: {} }] });
  assert.equal(encode.event('room:join', { room: 'a' }, 12), '4212["room:join",{"room":"a"}]');
  assert.equal(encode.event('typing', {}, undefined), '42["typing",{}]');
  assert.equal(encode.connect({ token: 't' }), '40{"token":"t"}');
  assert.equal(encode.disconnect(), '41');
});

test('keeps a text that looks like a frame', () => {
  const text = '42["x"] \u2028 "quoted" \\ 👩‍👩‍👧‍👦';
  const packet = decode(encode.event('message', { text }, 3));
  assert.deepEqual(packet, { type: 'event', name: 'message', args: [{ text }], ackId: 3 });
});

test('rejects other frames with an error that quotes only their start', () => {
  const bad = [
    '',
    '9',
    '5',
    '4',
    '40',
    '40[]',
    '40/admin,{"sid":"x"}',
    '42',
    '42{}',
    '42[1]',
    '42[',
    '4212x["a"]',
    '43["a"]',
    '451-["a"]',
    '0{}',
    'b4xyz',
    '0null',
  ];
  for (const frame of bad) assert.throws(() => decode(frame), ProtocolError, JSON.stringify(frame));
  assert.throws(
    () => decode(`42{"text":"${'secret '.repeat(20)}"}`),
    (error: Error) => error.message.length < 90,
  );
});

test('derives the WebSocket address from the public one', () => {
  assert.equal(socketUrl('http://localhost:8080'), 'ws://localhost:8080/socket.io/?EIO=4&transport=websocket');
  assert.equal(socketUrl('https://chat.example/'), 'wss://chat.example/socket.io/?EIO=4&transport=websocket');
  assert.throws(() => socketUrl('localhost:8080'), ProtocolError);
});
