import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { spool } from './spool.ts';

async function linesOf(chunks: Buffer[]): Promise<string[]> {
  const file = await spool(Readable.from(chunks));
  try {
    const lines: string[] = [];
    for await (const line of file.lines()) lines.push(line);
    return lines;
  } finally {
    await file.remove();
  }
}

test('only a line feed ends a line', async () => {
  const lines = ['a\u2028b', 'c\u2029d', 'e\u0085f\vg\fh', '안녕 🍵', '', 'crlf\r', 'the end'];
  assert.deepEqual(await linesOf([Buffer.from(lines.join('\n'))]), lines);
  assert.deepEqual(await linesOf([Buffer.from(`${lines.join('\n')}\n`)]), lines);
  assert.deepEqual(await linesOf([]), []);
});

test('lines and characters may be cut anywhere by the reads of the file', async () => {
  const lines = Array.from({ length: 30_000 }, (_, index) => `${'x'.repeat(index % 7)}안녕🍵 ${index}`);
  assert.deepEqual(await linesOf([Buffer.from(lines.join('\n'))]), lines);
});
