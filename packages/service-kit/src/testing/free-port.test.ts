import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { findFreePort } from './free-port.ts';

const LOWEST = 20_000;
/** Replaces `Math.random`: starts at the lowest port and increases by one port each time. */
const inOrder = () => {
  let next = 0;
  return () => (next++ + 0.5) / 12_000;
};

test('does not return a port of another process, even if nothing listens there', async (t) => {
  t.mock.method(Math, 'random', inOrder());
  const mine = await findFreePort();
  const other = execFileSync(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `let next = 0;
       Math.random = () => (next++ + 0.5) / 12_000;
       const { findFreePort } = await import(${JSON.stringify(new URL('./free-port.ts', import.meta.url).href)});
       console.log(await findFreePort());`,
    ],
    { encoding: 'utf8' },
  );
  assert.ok(mine >= LOWEST);
  assert.ok(Number(other) > mine);
});

test('does not return a port on which a server listens', async (t) => {
  t.mock.method(Math, 'random', inOrder());
  const next = await findFreePort();
  const server = createServer().listen(next + 1, '127.0.0.1');
  t.after(() => server.close());
  // If another program already listens there, its server serves the test too.
  await new Promise((resolve) => server.once('listening', resolve).once('error', resolve));
  t.mock.method(Math, 'random', inOrder());
  assert.ok((await findFreePort()) > next + 1);
});
