import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clientFrame,
  type FrameBounds,
  markOf,
  OPCODE,
  readFrame,
  readMark,
  readNumber,
  serverFrame,
} from './frames.ts';

const bounds = (): FrameBounds => ({ opcode: 0, start: 0, end: 0 });

test('reads a complete frame of any length, and no incomplete frame', () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 200_000]) {
    const text = 'é'.repeat(length >> 1) + 'x'.repeat(length & 1);
    const frame = serverFrame(text);
    for (const short of [0, 1, 2, 3, frame.length - 1].filter((to) => to < frame.length))
      assert.equal(readFrame(frame, 0, short, bounds()), false, `${short} of ${frame.length} bytes`);
    const read = bounds();
    assert.equal(readFrame(frame, 0, frame.length, read), true);
    assert.equal(read.opcode, OPCODE.text);
    assert.equal(frame.toString('utf8', read.start, read.end), text);
  }
});

test('reads consecutive frames from one buffer', () => {
  const bytes = Buffer.concat([serverFrame('2'), serverFrame('42["message",{}]')]);
  const [first, second] = [bounds(), bounds()];
  assert(readFrame(bytes, 0, bytes.length, first));
  assert(readFrame(bytes, first.end, bytes.length, second));
  assert.equal(bytes.toString('utf8', second.start, second.end), '42["message",{}]');
  assert.equal(second.end, bytes.length);
});

test('rejects fragmented and masked frames, because their content would not be counted', () => {
  assert.throws(() => readFrame(Buffer.from([0x01, 0x00]), 0, 2, bounds()));
  assert.throws(() => readFrame(clientFrame('3'), 0, 7, bounds()));
});

test('a client frame has the mask bit and an unchanged text', () => {
  for (const text of ['3', 'x'.repeat(126)]) {
    const frame = clientFrame(text);
    assert.equal((frame[1] as number) & 0x80, 0x80);
    assert(frame.toString('utf8').endsWith(text));
  }
});

test('finds the mark in a message, but not after its end', () => {
  const bytes = Buffer.from(`42["message",{"text":"${markOf(12, 3_456)} x"}]42["message",{"text":"${markOf(1, 2)}"}]`);
  const mark = { room: 0, number: 0 };
  assert(readMark(bytes, 0, bytes.length, mark));
  assert.deepEqual(mark, { room: 12, number: 3_456 });
  assert.equal(readMark(bytes, 0, 10, mark), false);
  assert.equal(readMark(Buffer.from('~1.x~'), 0, 5, mark), false);
});

test('reads the id of an acknowledgement', () => {
  const frame = Buffer.from('431234[{"ok":true}]');
  assert.equal(readNumber(frame, 2, frame.length), 1_234);
});
