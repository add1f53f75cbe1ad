/** `npm run cluster` against a supervisor made for the test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./cluster.mjs', import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'maru-cluster-'));
/** It begins each answer with `start`, and then its process is gone. */
const start = { text: '' };
const supervisor = createServer((_request, response) => {
  response.write(start.text, () => setTimeout(() => response.destroy(), 50));
});

before(async () => {
  supervisor.listen(0, '127.0.0.1');
  await once(supervisor, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (supervisor.address());
  const control = { url: `http://127.0.0.1:${port}`, token: 'secret' };
  writeFileSync(join(dataDir, 'cluster.json'), JSON.stringify({ pid: process.pid, processes: [], control }));
});
after(() => {
  supervisor.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** @param {string[]} args */
async function run(...args) {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--data-dir', dataDir], { stdio: 'pipe' });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, output, errors };
}

const STOPPED = 'The cluster stopped before the command finished.\n';

test('a command says that the cluster stopped before it finished', async () => {
  start.text = '{"line":"draining gateway-1"}\n';
  assert.deepEqual(await run('drain', 'gateway-1'), { code: 1, output: 'draining gateway-1\n', errors: STOPPED });
});

test('so does the status', async () => {
  start.text = '{"endpoint":';
  assert.deepEqual(await run('status'), { code: 1, output: '', errors: STOPPED });
});
