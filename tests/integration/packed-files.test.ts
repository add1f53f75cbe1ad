/**
 * nginx serves files of the page in an encoding that the browser accepts: Brotli, gzip or plain.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { type Nginx, startNginx } from '../support/nginx.ts';

const FILES: Record<string, string> = {
  'index.html': 'text/html',
  'console/index.html': 'text/html',
  'assets/app.js': 'text/javascript',
  'assets/app.css': 'text/css',
  'assets/logo.svg': 'image/svg+xml',
};
const contentOf = (file: string) => Buffer.from(`the content of ${file}\n`.repeat(100));

let nginx: Nginx;
before(async () => {
  nginx = await startNginx({
    gatewayPorts: [1],
    prepare: (webRoot) => {
      for (const folder of ['assets', 'console']) mkdirSync(join(webRoot, folder));
      for (const file of Object.keys(FILES)) {
        const content = contentOf(file);
        writeFileSync(join(webRoot, file), content);
        writeFileSync(join(webRoot, `${file}.br`), brotliCompressSync(content));
        writeFileSync(join(webRoot, `${file}.gz`), gzipSync(content));
      }
      writeFileSync(join(webRoot, 'assets/plain.js'), 'export {};');
      mkdirSync(join(webRoot, '.secret'));
      writeFileSync(join(webRoot, '.secret/a.js'), 'secret');
    },
  });
});
after(() => nginx.stop());

interface Answer {
  status: number;
  encoding: string | undefined;
  type: string | undefined;
  vary: string | undefined;
  cache: string | undefined;
  etag: string | undefined;
  body: Buffer;
}

/** Not `fetch`, which would decode the answer. */
function get(path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${nginx.url}${path}`, { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const {
          'content-encoding': encoding,
          'content-type': type,
          vary,
          'cache-control': cache,
          etag,
        } = response.headers;
        resolve({ status: response.statusCode ?? 0, encoding, type, vary, cache, etag, body: Buffer.concat(parts) });
      });
    });
    sent.on('error', reject).end();
  });
}

const decoded = ({ encoding, body }: Answer): Buffer =>
  encoding === 'br' ? brotliDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body;

/** The header of a browser, and the expected encoding. */
const ACCEPTED: Array<[string | null, string | undefined]> = [
  ['gzip, deflate, br, zstd', 'br'],
  ['br', 'br'],
  ['gzip, br;q=0.5', 'br'],
  ['gzip, deflate', 'gzip'],
  ['GZIP', 'gzip'],
  ['gzip, br;q=0', 'gzip'],
  ['br; q=0.0, gzip;q=1.0', 'gzip'],
  ['gzip;q=0', undefined],
  ['gzip;q=0, br;q=0.000', undefined],
  ['identity', undefined],
  ['brotli, xgzip', undefined],
  [null, undefined],
];

const PATHS: Record<string, string> = {
  ...Object.fromEntries(Object.keys(FILES).map((file) => [`/${file}`, file])),
  '/': 'index.html',
  '/rooms': 'index.html',
  '/r/lobby': 'index.html',
  '/r/lobby/': 'index.html',
  '/r/lobby/12': 'index.html',
  '/console/': 'console/index.html',
};

describe('a file of the page', () => {
  for (const [accepted, encoding] of ACCEPTED) {
    test(`is sent as ${encoding ?? 'it is'} with Accept-Encoding: ${accepted}`, async () => {
      for (const [path, file] of Object.entries(PATHS)) {
        const answer = await get(path, accepted === null ? {} : { 'accept-encoding': accepted });
        assert.deepEqual([answer.status, answer.encoding, answer.type], [200, encoding, FILES[file]], path);
        assert.deepEqual(decoded(answer), contentOf(file), path);
        assert.equal(answer.vary, 'Accept-Encoding', path);
        assert.match(answer.cache ?? '', path.startsWith('/assets/') ? /immutable/ : /no-cache/, path);
      }
    });
  }

  test('that is not compressed is sent as it is', async () => {
    const answer = await get('/assets/plain.js', { 'accept-encoding': 'br, gzip' });
    assert.deepEqual([answer.status, answer.encoding, answer.type], [200, undefined, 'text/javascript']);
    assert.equal(answer.body.toString(), 'export {};');
  });

  test('is not sent again while it is unchanged in the same encoding', async () => {
    const packed = await get('/assets/app.js', { 'accept-encoding': 'br' });
    const again = await get('/assets/app.js', { 'accept-encoding': 'br', 'if-none-match': packed.etag ?? '' });
    assert.deepEqual([again.status, again.vary, again.body.length], [304, 'Accept-Encoding', 0]);
    const plain = await get('/assets/app.js', { 'if-none-match': packed.etag ?? '' });
    assert.equal(plain.status, 200);
  });

  test('is not available under another name', async () => {
    for (const path of ['/assets/app.js.br', '/assets/app.js.gz', '/index.html.br', '/.secret/a.js', '/r/lobby/app.js'])
      assert.equal((await get(path, { 'accept-encoding': 'br' })).status, 404, path);
    const missing = await get('/assets/nope.js', { 'accept-encoding': 'br' });
    assert.deepEqual([missing.status, missing.type, missing.encoding], [404, 'text/plain', undefined]);
  });
});
