import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@maru/protocol';
import fc from 'fast-check';
import { type Announcement, actOf, parseAnnouncement } from './entry-codec.ts';

const body = '"n":40,"type":"text","text":"마루"}';
const packet = (header: string, rest = body) => parseAnnouncement(`${header}\n${rest}`);
const size = Buffer.byteLength(body);

test('parses announcements of an entry and of a new epoch', () => {
  assert.deepEqual(packet(`1 M 3.abc 42 1700000000000 ${size}`), {
    kind: 'entry',
    epoch: '3.abc',
    seq: 42,
    ts: 1_700_000_000_000,
    body,
  });
  assert.deepEqual(packet('1 E 4.x 17 0 0', ''), { kind: 'epoch', epoch: '4.x', base: 17 });
  assert.deepEqual(packet('1 D 5.x 0 0 0', ''), { kind: 'deleted', epoch: '5.x' });
});

test('counts an entry of an earlier release without n as a message', () => {
  const old = '"type":"text","text":"x"}';
  const announced = packet(`1 M 3.abc 42 1 ${old.length}`, old);
  assert.equal(announced?.kind === 'entry' && announced.body, `"n":42,${old}`);
});

test('distinguishes deletions from acts and other entries, whatever their text is', () => {
  const typed = (type: string, rest = '"data":{"seq":4}') =>
    actOf(`"n":4,"type":"${type}","from":{"id":"u","name":"\\"type\\":\\"message.delete\\""},${rest}}`);
  assert.deepEqual(typed('message.delete'), { type: 'erasure' });
  for (const type of ['message.edit', 'message.react', 'message.pin', 'message.delete.all'])
    assert.equal(typed(type), undefined);
  assert.equal(typed('text', '"text":"\\"type\\":\\"message.delete\\""'), undefined);
  const kick = typed('room.kick', '"data":{"user":"jun"}');
  assert.deepEqual(kick, { type: 'act', removal: { user: 'jun', reason: 'kicked' } });
});

test('refuses malformed announcements', () => {
  const bad = [
    '',
    '\n',
    'x',
    `2 M 3.abc 42 1 ${size}`,
    `1 X 3.abc 42 1 ${size}`,
    `1 M abc 42 1 ${size}`,
    `1 M 3."] 42 1 ${size}`,
    `1 M 3.a\`c 42 1 ${size}`,
  ];
  for (const header of [
    ...bad,
    `1 M 3.abc -1 1 ${size}`,
    `1 M 3.abc 42 1 ${size + 1}`,
    `1 M 3.abc 42 1 ${size} `,
    `1 M ${'9'.repeat(200)}.a 1 1 ${size}`,
  ]) {
    assert.equal(packet(header), undefined, header);
  }
  assert.equal(parseAnnouncement('no newline at all'), undefined);
  assert.equal(packet('1 M 3.abc 42 1 3', 'abc'), undefined, 'a body that does not end an object');
});

/** The grammar of a header. */
const HEADER = /^1 ([MEDR]) (\d{1,10}\.[a-z0-9]{1,21}) (\d{1,15}) (\d{1,15}) (\d{1,7})$/;

function byExpression(payload: string): Announcement | undefined {
  const end = payload.indexOf('\n');
  const match = end < 0 ? null : HEADER.exec(payload.slice(0, end));
  if (match === null) return undefined;
  const [, kind, epoch, seq, ts, bytes] = match as unknown as [string, string, string, string, string, string];
  const body = payload.slice(end + 1);
  if (Buffer.byteLength(body) !== Number(bytes)) return undefined;
  if (kind === 'E') return { kind: 'epoch', epoch, base: Number(seq) };
  if (kind === 'D') return { kind: 'deleted', epoch };
  if (kind === 'R') {
    const isUser = body.length >= 1 && body.length <= LIMITS.userIdCharsMax;
    return isUser ? { kind: 'receipt', epoch, seq: Number(seq), user: body } : undefined;
  }
  if (!body.endsWith('}')) return undefined;
  const counted = body.startsWith('"n":') ? body : `"n":${Number(seq)},${body}`;
  return { kind: 'entry', epoch, seq: Number(seq), ts: Number(ts), body: counted };
}

test('accepts exactly the grammar, for any change of a header', () => {
  // Usually of a valid length, otherwise slightly too long.
  const part = (units: string, charsMax: number) =>
    fc
      .oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: charsMax }) },
        { weight: 1, arbitrary: fc.constantFrom(0, charsMax, charsMax + 1) },
      )
      .chain((size) => fc.string({ unit: fc.constantFrom(...units), minLength: size, maxLength: size }));
  const digits = (charsMax: number) => part('0189', charsMax);
  const anyBody = fc.constantFrom('', '}', body, '1 M 1.a 1 1 1\n}', 'x y.z\n}', 'ends without', 'u'.repeat(129));
  const bytes = fc.tuple(digits(7), fc.nat({ max: 7 }), fc.boolean());
  const valid = fc
    .tuple(fc.constantFrom('M', 'E', 'D', 'R'), digits(10), part('az09', 21), digits(15), digits(15), bytes, anyBody)
    .map(([kind, life, nonce, seq, ts, [wrong, zeros, isWrong], ofBody]) => {
      const size = isWrong ? wrong : `${'0'.repeat(zeros)}${Buffer.byteLength(ofBody)}`;
      return `1 ${kind} ${life}.${nonce} ${seq} ${ts} ${size}\n${ofBody}`;
    });
  // Characters next to the allowed ones, and a digit outside ASCII.
  const piece = fc.constantFrom('', ...' .\n\r\t-+0189/:`az{AZMEDR1\u0661\0', '  ', '.1', ' 1', '00000000000000');
  const change = fc.record({ at: fc.nat({ max: 90 }), drop: fc.nat({ max: 2 }), put: piece });
  let packets = 0;
  fc.assert(
    fc.property(valid, fc.array(change, { maxLength: 2 }), (payload, changes) => {
      let changed = payload;
      for (const { at, drop, put } of changes) changed = changed.slice(0, at) + put + changed.slice(at + drop);
      const expected = byExpression(changed);
      if (expected !== undefined) packets++;
      assert.deepEqual(parseAnnouncement(changed), expected, JSON.stringify(changed));
    }),
    { numRuns: 5_000 },
  );
  assert.ok(packets > 100, `only ${packets} packets were well formed`);
});
