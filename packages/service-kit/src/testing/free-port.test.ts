import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { findFreePort } from './free-port.ts';

const LOWEST = 20_000;
/** Chance that begins at the lowest port, and goes up by one port each time. */
const inOrder = () => {
  let next = 0;
  return () => (next++ + 0.5) / 12_000;
};

test('nobody is given a port that another process was given, also while nothing listens there', async (t) => {
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

test('a port on which somebody listens is not given', async (t) => {
  t.mock.method(Math, 'random', inOrder());
  const next = await findFreePort();
  const server = createServer().listen(next + 1, '127.0.0.1');
  t.after(() => server.close());
  // Where somebody listens there already it is theirs.
  await new Promise((resolve) => server.once('listening', resolve).once('error', resolve));
  t.mock.method(Math, 'random', inOrder());
  assert.ok((await findFreePort()) > next + 1);
});
