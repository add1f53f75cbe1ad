import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findProgram } from './find-program.mjs';
import { installPackage, manualCommand, policyScript } from './package-managers.mjs';
import { PROGRAMS } from './programs.mjs';
import { createReporter, wantsColour } from './terminal.mjs';

const folder = mkdtempSync(join(tmpdir(), 'maru-programs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const reporter = createReporter({
  stream: /** @type {NodeJS.WritableStream} */ (/** @type {unknown} */ ({ on() {}, write() {} })),
  environment: {},
});
/** A directory with one program, alone on the PATH as far as its name goes. */
const withProgram = (/** @type {string} */ name, /** @type {string} */ script) => {
  const bin = join(folder, `${name}-${Math.random().toString(36).slice(2)}`);
  mkdirSync(bin);
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return { bin, environment: { PATH: `${bin}:/usr/bin:/bin` } };
};

describe('programs', () => {
  it('are found on the PATH by priority, if they are executable', () => {
    const { bin, environment } = withProgram('maru-test-two', 'exit 0');
    writeFileSync(join(bin, 'maru-test-one'), '');
    assert.equal(findProgram(['maru-test-one', 'maru-test-two'], environment), join(bin, 'maru-test-two'));
    assert.equal(findProgram(['maru-test-none'], environment), null);
    assert.equal(findProgram(['maru-test-two'], { PATH: '.' }), null);
  });

  it('have an installation command for the user', () => {
    const { environment } = withProgram('apt-get', 'exit 0');
    assert.equal(manualCommand(PROGRAMS.nginx.packages, environment), 'sudo apt-get install nginx');
    assert.equal(manualCommand(PROGRAMS.redis.packages, environment), 'sudo apt-get install redis-server');
  });

  it('are installed from the first available alternative; if all fail, the reason is shown', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    const { bin, environment } = withProgram(
      'apt-get',
      `echo "$@" >> "${folder}/apt-calls"; case "$*" in *second*) exit 0;; *update*) exit 100;; esac; echo "E: Unable to locate"; exit 100`,
    );
    const packages = { apt: ['first', 'second'], dnf: [], apk: [], pacman: [], brew: [] };
    const options = { program: 'redis', services: [], reporter, environment };
    assert.equal(await installPackage({ ...options, packages }), null);
    const calls = readFileSync(join(folder, 'apt-calls'), 'utf8').trim().split('\n');
    assert.match(calls[0] ?? '', /update$/);
    assert.match(calls[2] ?? '', /install -y --no-install-recommends second$/);
    const problem = await installPackage({ ...options, packages: { ...packages, apt: ['first'] } });
    assert.equal(problem, 'apt-get install first ended with exit code 100: E: Unable to locate');
    assert.ok(existsSync(bin));
  });

  it('start no service during the installation, and may start services later', () => {
    const path = join(folder, 'policy');
    writeFileSync(path, policyScript(process.pid), { mode: 0o755 });
    assert.equal(spawnSync(path).status, 101);
    const gone = spawnSync('true').pid;
    writeFileSync(path, policyScript(gone), { mode: 0o755 });
    assert.equal(spawnSync(path).status, 0);
  });
});

it('uses colours only on a terminal, and not if NO_COLOR is set', () => {
  assert.equal(wantsColour({ isTTY: true }, {}), true);
  assert.equal(wantsColour({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(wantsColour({}, {}), false);
});
