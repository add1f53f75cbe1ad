import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AckId, packetParser, TOO_DEEP } from './packet-parser.ts';

function decode(text: unknown): unknown[] {
  const decoder = new packetParser.Decoder();
  const packets: unknown[] = [];
  decoder.on('decoded', (packet: unknown) => packets.push(packet));
  decoder.add(text);
  return packets;
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('an ordinary event passes', () => {
  assert.deepEqual(decode('27["room:join",{"room":"lobby"}]'), [
    { type: 2, nsp: '/', data: ['room:join', { room: 'lobby' }, new AckId(7)] },
  ]);
  assert.deepEqual(decode('2["typing",{}]'), [{ type: 2, nsp: '/', data: ['typing', {}] }]);
});

test('an event that is nested too deeply reaches its handler without having been parsed', () => {
  for (const depth of [17, 1_000, 50_000]) {
    assert.deepEqual(decode(`27["room:join",${nested(depth)}]`), [
      { type: 2, nsp: '/', data: ['room:join', TOO_DEEP, new AckId(7)] },
    ]);
  }
  assert.deepEqual(decode(`2["typing",${nested(20)}]`), [{ type: 2, nsp: '/', data: ['typing', TOO_DEEP] }]);
});

test('any other packet that is nested too deeply ends the transport', () => {
  assert.throws(() => decode(`0{"token":${nested(20)}}`));
  assert.throws(() => decode(`2[[${nested(20)}]]`));
  for (const event of ['disconnect', 'disconnecting', 'connect', 'newListener', 'nope', '__proto__']) {
    assert.throws(() => decode(`2["${event}",${nested(20)}]`), event);
  }
});

test('binary packets and their placeholders are refused', () => {
  assert.throws(() => decode('51-["message:send",{"_placeholder":true,"num":0}]'));
  assert.throws(() => decode('61-[{"_placeholder":true,"num":0}]'));
  assert.throws(() => decode(Buffer.from('x')));
});

test('other namespaces, and more than a few attempts to connect, end the transport', () => {
  assert.throws(() => decode('0/admin,{}'));
  assert.throws(() => decode('2/x,["typing",{}]'));
  // The library takes a space for a 0.
  for (const attempt of ['0{}', ' {}']) {
    const decoder = new packetParser.Decoder();
    for (let i = 0; i < 4; i++) decoder.add(attempt);
    assert.throws(() => decoder.add(attempt), /too many attempts/);
  }
});

test('once somebody has signed in, requests go past the library, as it would have read them', () => {
  const decoder = new packetParser.Decoder();
  const [handed, raised]: [unknown[], unknown[]] = [[], []];
  decoder.on('decoded', ({ data }: { data?: unknown }) => raised.push(data));
  decoder.handTo('owner', (...call) => handed.push(call));
  decoder.add('27["room:join",{"room":"lobby"}]');
  decoder.add('2["typing",{}]');
  decoder.add('2123456789012345["typing"]');
  assert.deepEqual(handed, [
    ['owner', 'room:join', [{ room: 'lobby' }], 7],
    ['owner', 'typing', [{}], undefined],
    ['owner', 'typing', [], 123456789012345],
  ]);
  assert.deepEqual(raised, []);
  // What no client of the contract sends is the library's to judge.
  decoder.add('27["nope",1]');
  decoder.add(`27["room:join",${nested(17)}]`);
  decoder.add('2 ["typing",{}]');
  decoder.add('21234567890123456["typing"]');
  assert.equal(handed.length, 3);
  assert.deepEqual(raised.slice(0, 3), [
    ['nope', 1, new AckId(7)],
    ['room:join', TOO_DEEP, new AckId(7)],
    ['typing', {}, new AckId(0)],
  ]);
  for (const broken of ['2["typing",', '2{}', '2["disconnect"]', '51-["typing",{}]'])
    assert.throws(() => decoder.add(broken), broken);
  // Behind a DISCONNECT there are no requests any more.
  decoder.add('1');
  decoder.add('2["typing",{}]');
  assert.deepEqual([handed.length, raised.at(-1)], [3, ['typing', {}]]);
});

test('of what the library writes, only CONNECT is left to us', () => {
  const encoder = new packetParser.Encoder();
  assert.deepEqual(encoder.encode({ type: 0, nsp: '/', data: { sid: 'x' } }), []);
  assert.deepEqual(encoder.encode({ type: 1, nsp: '/' }), ['1']);
  assert.deepEqual(encoder.encode({ type: 4, nsp: '/', data: { message: 'no' } }), ['4{"message":"no"}']);
});
