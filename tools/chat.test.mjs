/** `npm run chat` in a small copy of the clone, with an npm and a client made for the test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('.', import.meta.url));
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

describe('npm run chat', () => {
  let root = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let tool;
  /** @type {number[]} */
  const started = [];
  /** @param {string} path @param {string} content */
  const put = (path, content) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'maru-chat-'));
    cpSync(join(TOOLS, 'bootstrap'), join(root, 'tools/bootstrap'), { recursive: true });
    cpSync(join(TOOLS, 'chat.mjs'), join(root, 'tools/chat.mjs'));
    put('package-lock.json', '{"packages":{"":{}}}');
    put('bin/npm', `#!/bin/sh\necho $$ > ${root}/pid\nexec sleep 60\n`);
    chmodSync(join(root, 'bin/npm'), 0o755);
  });
  afterEach(() => {
    tool?.kill('SIGKILL');
    for (const pid of started.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(root, { recursive: true, force: true });
  });

  function start() {
    const environment = { PATH: `${root}/bin:/usr/bin:/bin` };
    const child = spawn(process.execPath, [join(root, 'tools/chat.mjs')], { env: environment, stdio: 'pipe' });
    tool = child;
    return { child, ended: once(child, 'close').then(([code]) => code) };
  }

  /** Waits for a file, and reads a process id from it. */
  async function pidIn(/** @type {string} */ name) {
    for (let tries = 0; tries < 500; tries++) {
      try {
        const pid = Number(readFileSync(join(root, name), 'utf8'));
        if (pid > 0) {
          started.push(pid);
          return pid;
        }
      } catch {
        // It is not there yet.
      }
      await sleep(10);
    }
    return assert.fail(`no process wrote ${name}`);
  }

  for (const signal of SIGNALS)
    test(`${signal} during the installation ends npm, too`, async () => {
      const { child, ended } = start();
      const npm = await pidIn('pid');
      child.kill(signal);
      assert.deepEqual([await ended, isAlive(npm)], [130, false]);
    });

  for (const signal of SIGNALS)
    test(`${signal} reaches the client, whose exit code becomes that of the tool`, async () => {
      put('node_modules/.package-lock.json', '{}');
      put(
        'apps/terminal/src/main.ts',
        `import { writeFileSync } from 'node:fs';
        for (const signal of ${JSON.stringify(SIGNALS)})
          process.on(signal, () => process.exit(signal === '${signal}' ? 7 : 8));
        setInterval(() => {}, 1000);
        writeFileSync('${root}/pid', String(process.pid));`,
      );
      const { child, ended } = start();
      const client = await pidIn('pid');
      child.kill(signal);
      assert.deepEqual([await ended, isAlive(client)], [7, false]);
    });
});

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
