/** Stores piped input in a file, because an import reads it twice. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Spool {
  /** SHA-256 of the content, in hexadecimal. */
  digest: string;
  lines(): AsyncIterable<string>;
  remove(): Promise<void>;
}

export async function spool(input: Readable): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), 'maru-import-'));
  const path = join(folder, 'lines');
  const remove = () => rm(folder, { recursive: true, force: true });
  const hash = createHash('sha256');
  try {
    await pipeline(
      input,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
    );
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    digest: hash.digest('hex'),
    lines: () => linesOf(createReadStream(path, 'utf8')),
    remove,
  };
}

/** Only a line feed ends a line. `readline` also splits at U+2028 and U+2029, valid in JSON. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let begun: string[] = [];
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    const last = lines.pop() ?? '';
    for (const [index, line] of lines.entries()) yield index === 0 ? begun.join('') + line : line;
    if (lines.length > 0) begun = [];
    begun.push(last);
  }
  const end = begun.join('');
  if (end !== '') yield end;
}
