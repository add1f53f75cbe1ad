/**
 * Writes a compressed copy of each file of the page, as `.br` and `.gz`. The edge serves the format
 * that the browser accepts.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

/** The types for which deploy/nginx.conf looks for compressed files. */
const PACKED = /\.(?:html|js|css|svg)$/;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

async function pack(file: string): Promise<void> {
  const content = await readFile(file);
  const brotli = await brotliAsync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  const gzipped = await gzipAsync(content, { level: constants.Z_BEST_COMPRESSION });
  // Compression can make a small file larger. Then no copy is written.
  if (brotli.length < content.length) await writeFile(`${file}.br`, brotli);
  if (gzipped.length < content.length) await writeFile(`${file}.gz`, gzipped);
}

export function packPlugin(): Plugin {
  let folder = '';
  return {
    name: 'pack',
    apply: 'build',
    configResolved(config) {
      folder = path.resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const files = await readdir(folder, { recursive: true });
      await Promise.all(files.filter((file) => PACKED.test(file)).map((file) => pack(path.join(folder, file))));
    },
  };
}
