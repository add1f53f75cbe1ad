/**
 * The files that a browser loads until a room is shown: the same content in every encoding, and a
 * limited size.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { enterGuest } from '../support/pages.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

/** Size with gzip. */
const FIRST_LOAD_BYTES_MAX = 95_000;
/**
 * The markup parser loads in parallel to the connection, and notices load when the page is idle. A
 * room is shown without them.
 */
const LATER = /\/(formatted|notices|notices-part|sound)-/;

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

interface Answer {
  encoding: string | undefined;
  body: Buffer;
}

/** Not `fetch`, which would decode the answer. */
function get(path: string, accepted: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': accepted };
    const sent = request(new URL(path, cluster.endpoint), { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(parts) }));
    });
    sent.on('error', reject).end();
  });
}

describe('the first load', { skip }, () => {
  test('has the same content in every encoding, and a limited size', async (t) => {
    const context = await (launched as Browser).newContext({ locale: 'en-GB' });
    const page = await context.newPage();
    const paths = new Set<string>();
    page.on('request', (sent) => {
      const { pathname } = new URL(sent.url());
      if (pathname === '/' || pathname.startsWith('/assets/')) paths.add(pathname);
    });
    await enterGuest(page, { endpoint: cluster.endpoint, name: 'Mina', room: newRoom('first'), errors: [] });
    await context.close();

    let bytes = 0;
    for (const path of paths) {
      const [plain, gzip, brotli] = [await get(path, ''), await get(path, 'gzip'), await get(path, 'gzip, br')];
      assert.equal(plain.encoding, undefined, path);
      const isSmall = gzip.encoding === undefined;
      assert.ok(isSmall ? plain.body.length < 200 : gzip.encoding === 'gzip', `${path}: ${gzip.encoding}`);
      if (!isSmall) assert.deepEqual(gunzipSync(gzip.body), plain.body, path);
      if (brotli.encoding === 'br') assert.deepEqual(brotliDecompressSync(brotli.body), plain.body, path);
      if (!LATER.test(path)) bytes += gzip.body.length;
    }
    t.diagnostic(`${bytes} bytes with gzip: ${[...paths].join(' ')}`);
    assert.ok(paths.size > 4);
    assert.ok(bytes <= FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  });
});
