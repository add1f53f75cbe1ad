import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrowingBuffer } from './growing-buffer.ts';

test('allocates at most twice what it holds, or 256 bytes, for chunks of any size', () => {
  for (const sizes of [[1], [1, 700, 3], [300], [255, 2], [5_000, 1]]) {
    const buffer = new GrowingBuffer(Buffer.alloc(0));
    const pieces: Buffer[] = [];
    for (let i = 0; buffer.length < 20_000; i++) {
      const piece = Buffer.alloc(sizes[i % sizes.length] as number, i);
      pieces.push(piece);
      buffer.append(piece);
      // The whole underlying memory, which nothing else shares.
      const taken = buffer.bytes().buffer.byteLength;
      assert.ok(taken <= Math.max(256, 2 * buffer.length), `${taken} bytes for ${buffer.length}`);
    }
    assert.ok(buffer.bytes().equals(Buffer.concat(pieces)));
  }
});
