import assert from 'node:assert/strict';
import { it } from 'node:test';
import { requestSchemas } from '@maru/protocol';
import fc from 'fast-check';
import { isRoomId, newClientMsgId, textProblem } from './text.ts';

// The server's schemas are authoritative. The client's own checks must give the same result without
// loading the validator.
const joins = (room: string) => requestSchemas['room:join'].safeParse({ room }).success;
const sends = (text: string) => requestSchemas['message:send'].safeParse({ room: 'a', clientMsgId: '1', text });

it('accepts the same room ids as the server', () => {
  const samples = ['lobby', '0', 'a.b_c-d', '', '-a', '.a', 'A', 'ab c', 'a\n', '로비', 'x'.repeat(64), 'x'.repeat(65)];
  for (const room of samples) assert.equal(isRoomId(room), joins(room), JSON.stringify(room));
  fc.assert(fc.property(fc.string({ maxLength: 70 }), (room) => assert.equal(isRoomId(room), joins(room))));
});

it('accepts the same texts as the server', () => {
  const samples = [
    'a',
    '',
    ' \n ',
    'x'.repeat(4_000),
    'x'.repeat(4_001),
    '🐢'.repeat(4_000),
    '한'.repeat(4_000),
    `${' '.repeat(20_000)}a`,
    `${' '.repeat(12_380)}${'x'.repeat(4_000)}`,
    '\ud800',
  ];
  for (const text of samples) assert.equal(textProblem(text) === null, sends(text).success, `${text.length} units`);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(textProblem(text) === null, sends(text).success)),
  );
});

it('creates unique message ids that the server accepts', () => {
  const ids = Array.from({ length: 1_000 }, newClientMsgId);
  assert.equal(new Set(ids).size, ids.length);
  for (const clientMsgId of ids.slice(0, 5)) {
    assert.ok(requestSchemas['message:send'].safeParse({ room: 'a', clientMsgId, text: 'x' }).success);
  }
});
