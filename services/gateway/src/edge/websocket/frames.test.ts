import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { closeFrame, frameOf, OPCODE, textFrames } from './frames.ts';

const require = createRequire(import.meta.url);
const { Sender } = require('ws') as { Sender: { frame(data: Buffer, options: object): Buffer[] } };
const byWs = (opcode: number, payload: Buffer) =>
  Buffer.concat(Sender.frame(payload, { fin: true, opcode, mask: false, readOnly: false, rsv1: false }));

test('writes frames exactly like ws', () => {
  const letters = ['a', 'é', '한', '글', '🙂', '👩‍👩‍👧', '"', '\\', '\u0000', '\u2028', '\ud800'];
  const lengths = [0, 1, 123, 124, 125, 126, 127, 65_533, 65_534, 65_535, 65_536, 200_000];
  const seed = Date.now() % 1_000_000;
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const texts = lengths.map((length) => 'x'.repeat(length));
  for (let i = 0; i < 200; i++)
    texts.push(
      Array.from({ length: random(i % 10 === 0 ? 40_000 : 200) }, () => letters[random(letters.length)]).join(''),
    );
  const theirs = texts.map((text) => byWs(OPCODE.text, Buffer.from(`4${text}`)));
  for (const [index, text] of texts.entries())
    assert.ok(textFrames([text], '4').equals(theirs[index] as Buffer), `seed ${seed}, text ${index}`);
  assert.ok(textFrames(texts, '4').equals(Buffer.concat(theirs)), `seed ${seed}, all`);
  for (const length of [0, 125, 126, 65_536]) {
    const payload = Buffer.alloc(length, 0xaa);
    for (const opcode of [OPCODE.binary, OPCODE.pong])
      assert.ok(frameOf(opcode, payload).equals(byWs(opcode, payload)));
  }
});

test('a close frame has a code and a reason, or is empty', () => {
  assert.deepEqual([...closeFrame(1005)], [0x88, 0]);
  assert.deepEqual([...closeFrame(1009)], [0x88, 2, 0x03, 0xf1]);
  assert.deepEqual([...closeFrame(1000, 'ok')], [0x88, 4, 0x03, 0xe8, 0x6f, 0x6b]);
});
