/** The terminal client as a process, in pipes, against the fake server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
/** As for a uid without an account, which containers often have. */
const WITHOUT_ACCOUNT = `data:text/javascript,${encodeURIComponent(`
  import os from 'node:os';
  import { syncBuiltinESMExports } from 'node:module';
  os.userInfo = () => { throw new Error('uv_os_get_passwd returned ENOENT'); };
  syncBuiltinESMExports();`)}`;

let server: FakeServer;
const children: Array<{ kill(signal: 'SIGKILL'): boolean }> = [];
before(async () => {
  server = await startFakeServer();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
after(() => server.close());

function run(args: string[], { preload = [] as string[] } = {}) {
  const imports = preload.flatMap((one) => ['--import', one]);
  const child = spawn(process.execPath, [...imports, main, '--url', server.url, ...args], { stdio: 'pipe' });
  children.push(child);
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  // Lines that are sent to a process that has ended.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output, errors }));
  const says = async (text: string) => {
    while (!output.includes(text)) await once(child.stdout, 'data');
  };
  return { child, ended, says };
}

test('ends with the session, although its input is open', async () => {
  const { child, ended, says } = run(['--json', '--create', '--room', 'main-1', '--token', 'robot']);
  await says('"connected"');
  server.dismissAll('revoked');
  const { code, errors } = await ended;
  assert.deepEqual([code, errors, child.stdin.writableEnded], [1, '', false]);
});

test('ends without a word when nobody reads its output any more', async () => {
  const { child, ended, says } = run(['--json', '--create', '--room', 'main-2', '--token', 'robot']);
  await says('"connected"');
  child.stdout.destroy();
  child.stdin.write('one\ntwo\n');
  const { code, errors } = await ended;
  assert.deepEqual([code, errors], [141, '']);
});

test('needs no account on the machine', async () => {
  const preload = [WITHOUT_ACCOUNT];
  const help = await run(['--help'], { preload }).ended;
  assert.deepEqual([help.code, help.errors, help.output.includes('--json')], [0, '', true]);
  const guest = run(['--json', '--create', '--room', 'main-3'], { preload });
  guest.child.stdin.end('hello\n');
  const { code, errors } = await guest.ended;
  assert.deepEqual([code, errors], [0, '']);
});
