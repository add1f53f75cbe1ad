import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLiveFrame } from './live-frame.ts';

const body = '"type":"text","text":"마루"}';
const frame = (header: string, rest = body) => parseLiveFrame(`${header}\n${rest}`);
const size = Buffer.byteLength(body);

test('an entry and a new epoch are read from their headers', () => {
  assert.deepEqual(frame(`1 M 3.abc 42 1700000000000 ${size}`), {
    kind: 'entry',
    epoch: '3.abc',
    seq: 42,
    ts: 1_700_000_000_000,
    body,
  });
  assert.deepEqual(frame('1 E 4.x 17 0 0', ''), { kind: 'epoch', epoch: '4.x', base: 17 });
});

test('anything malformed is no frame', () => {
  const bad = [
    '',
    '\n',
    'x',
    `2 M 3.abc 42 1 ${size}`,
    `1 X 3.abc 42 1 ${size}`,
    `1 M abc 42 1 ${size}`,
    `1 M 3."] 42 1 ${size}`,
  ];
  for (const header of [
    ...bad,
    `1 M 3.abc -1 1 ${size}`,
    `1 M 3.abc 42 1 ${size + 1}`,
    `1 M 3.abc 42 1 ${size} `,
    `1 M ${'9'.repeat(200)}.a 1 1 ${size}`,
  ]) {
    assert.equal(frame(header), undefined, header);
  }
  assert.equal(parseLiveFrame('no newline at all'), undefined);
  assert.equal(frame('1 M 3.abc 42 1 3', 'abc'), undefined, 'a body that does not end an object');
});
