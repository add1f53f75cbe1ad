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

test('a frame of any length is read back, and only once it is whole', () => {
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

test('frames are read one after the other from one piece', () => {
  const bytes = Buffer.concat([serverFrame('2'), serverFrame('42["message",{}]')]);
  const [first, second] = [bounds(), bounds()];
  assert(readFrame(bytes, 0, bytes.length, first));
  assert(readFrame(bytes, first.end, bytes.length, second));
  assert.equal(bytes.toString('utf8', second.start, second.end), '42["message",{}]');
  assert.equal(second.end, bytes.length);
});

test('a fragment and a masked frame are refused, because what they hold would go uncounted', () => {
  assert.throws(() => readFrame(Buffer.from([0x01, 0x00]), 0, 2, bounds()));
  assert.throws(() => readFrame(clientFrame('3'), 0, 7, bounds()));
});

test("a client's frame is masked and keeps its text", () => {
  for (const text of ['3', 'x'.repeat(126)]) {
    const frame = clientFrame(text);
    assert.equal((frame[1] as number) & 0x80, 0x80);
    assert(frame.toString('utf8').endsWith(text));
  }
});

test('a mark is found in a message, and none beyond its end', () => {
  const bytes = Buffer.from(`42["message",{"text":"${markOf(12, 3_456)} x"}]42["message",{"text":"${markOf(1, 2)}"}]`);
  const mark = { room: 0, number: 0 };
  assert(readMark(bytes, 0, bytes.length, mark));
  assert.deepEqual(mark, { room: 12, number: 3_456 });
  assert.equal(readMark(bytes, 0, 10, mark), false);
  assert.equal(readMark(Buffer.from('~1.x~'), 0, 5, mark), false);
});

test('an acknowledgement tells its id', () => {
  const frame = Buffer.from('431234[{"ok":true}]');
  assert.equal(readNumber(frame, 2, frame.length), 1_234);
});
