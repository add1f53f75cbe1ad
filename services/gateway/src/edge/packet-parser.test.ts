import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetParser, TOO_DEEP } from './packet-parser.ts';

function decode(text: unknown): unknown[] {
  const decoder = new packetParser.Decoder();
  const packets: unknown[] = [];
  decoder.on('decoded', (packet: unknown) => packets.push(packet));
  decoder.add(text);
  return packets;
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('an ordinary event is decoded', () => {
  assert.deepEqual(decode('27["room:join",{"room":"lobby"}]'), [
    { type: 2, nsp: '/', id: 7, data: ['room:join', { room: 'lobby' }] },
  ]);
  assert.deepEqual(decode('2["typing",{}]'), [{ type: 2, nsp: '/', data: ['typing', {}] }]);
});

test('a request that is nested too deeply reaches its handler without being parsed', () => {
  const requests: unknown[] = [];
  const decoder = new packetParser.Decoder();
  decoder.receive('owner', (...request) => requests.push(request));
  for (const depth of [17, 1_000, 50_000]) decoder.add(`27["room:join",${nested(depth)}]`);
  decoder.add(`2["typing",${nested(20)}]`);
  assert.deepEqual(requests, [
    // Only packets of more than 1,024 characters cost bytes.
    ...[0, 2_016, 100_016].map((bytes) => ['owner', 'room:join', [TOO_DEEP], 7, bytes]),
    ['owner', 'typing', [TOO_DEEP], undefined, 0],
  ]);
});

test('an event without a name reaches the sink, so that it is counted', () => {
  const requests: unknown[] = [];
  const decoder = new packetParser.Decoder();
  decoder.receive('owner', (...request) => requests.push(request));
  decoder.add('2');
  decoder.add('27');
  assert.deepEqual(requests, [
    ['owner', undefined, [], undefined, 0],
    ['owner', undefined, [], 7, 0],
  ]);
});

test('any other packet that is nested too deeply closes the transport', () => {
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

test('other namespaces and too many CONNECT packets close the transport', () => {
  assert.throws(() => decode('0/admin,{}'));
  assert.throws(() => decode('2/x,["typing",{}]'));
  // The library reads a space as 0.
  for (const attempt of ['0{}', ' {}']) {
    const decoder = new packetParser.Decoder();
    for (let i = 0; i < 4; i++) decoder.add(attempt);
    assert.throws(() => decoder.add(attempt), /too many attempts/);
  }
});

test('after sign-in, requests go to the sink, as the library would have read them', () => {
  const decoder = new packetParser.Decoder();
  const [requests, raised]: [unknown[], unknown[]] = [[], []];
  decoder.on('decoded', ({ data }: { data?: unknown }) => raised.push(data));
  decoder.receive('owner', (...request) => requests.push(request));
  decoder.add('27["room:join",{"room":"lobby"}]');
  decoder.add('2["typing",{}]');
  decoder.add('2123456789012345["typing"]');
  assert.deepEqual(requests, [
    ['owner', 'room:join', [{ room: 'lobby' }], 7, 0],
    ['owner', 'typing', [{}], undefined, 0],
    ['owner', 'typing', [], 123456789012345, 0],
  ]);
  assert.deepEqual(raised, []);
  // The library decodes what no client of the contract sends. The sink gets it, too, and answers
  // it.
  decoder.add('27["nope",1]');
  decoder.add('2 ["typing",{}]');
  decoder.add('27[4,{}]');
  assert.deepEqual(requests.slice(3), [
    ['owner', 'nope', [1], 7, 0],
    ['owner', 'typing', [{}], 0, 0],
    ['owner', 4, [{}], 7, 0],
  ]);
  assert.equal(raised.length, 3);
  for (const broken of ['2["typing",', '2{}', '2["disconnect"]', '51-["typing",{}]', `27["nope",${nested(17)}]`])
    assert.throws(() => decoder.add(broken), broken);
  // After DISCONNECT there are no requests.
  decoder.add('1');
  decoder.add('2["typing",{}]');
  assert.equal(requests.length, 6);
});

test('bytes are those of UTF-8, with either decoder', () => {
  const bytes: unknown[] = [];
  const decoder = new packetParser.Decoder();
  decoder.receive('owner', (...request) => bytes.push(request.at(-1)));
  const text = '준'.repeat(1_100);
  decoder.add(`2["typing","${text}"]`);
  decoder.add(`2["nope","${text}"]`);
  decoder.add('2["nope",1]');
  assert.deepEqual(bytes, [3_300 + 14, 3_300 + 12, 0]);
});

test('the encoder drops CONNECT and nothing else', () => {
  const encoder = new packetParser.Encoder();
  assert.deepEqual(encoder.encode({ type: 0, nsp: '/', data: { sid: 'x' } }), []);
  assert.deepEqual(encoder.encode({ type: 1, nsp: '/' }), ['1']);
  assert.deepEqual(encoder.encode({ type: 4, nsp: '/', data: { message: 'no' } }), ['4{"message":"no"}']);
});
