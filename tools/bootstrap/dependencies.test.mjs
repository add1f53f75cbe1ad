import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ensureDependencies, findNpm, whyInstall } from './dependencies.mjs';
import { createReporter } from './terminal.mjs';

const reporter = createReporter({
  stream: /** @type {NodeJS.WritableStream} */ (/** @type {unknown} */ ({ on() {}, write() {} })),
  environment: {},
});

describe('the dependencies of a clone', () => {
  let root = '';
  /** @type {NodeJS.ProcessEnv} */
  let environment = {};
  const put = (/** @type {string} */ path, /** @type {object | string} */ content) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const lockOf = (/** @type {string} */ version) => ({ packages: { '': {}, 'node_modules/a': { version } } });
  /**
   * Writes an npm that counts its calls and installs what the lock file of the moment names, or
   * fails.
   */
  const putNpm = (/** @type {string} */ body) => {
    put('bin/npm', `#!/bin/sh\necho "$@" >> ${root}/calls\n${body}\n`);
    chmodSync(join(root, 'bin/npm'), 0o755);
    environment = { PATH: `${root}/bin:/usr/bin:/bin` };
  };
  const installs = (/** @type {string} */ version) =>
    `rm -rf node_modules; mkdir -p node_modules/a; echo '{"version":"${version}"}' > node_modules/a/package.json; echo {} > node_modules/.package-lock.json`;
  const calls = () =>
    existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'maru-deps-'));
    put('package-lock.json', lockOf('1.0.0'));
    putNpm(installs('1.0.0'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('are installed if they are missing, and only then', async () => {
    assert.equal(whyInstall(root), 'node_modules is missing');
    assert.deepEqual(await ensureDependencies({ reporter, environment, root }), { installed: true });
    assert.match(calls()[0] ?? '', /^ci --include=dev --include=optional --ignore-scripts/);
    assert.deepEqual(await ensureDependencies({ reporter, environment, root }), { installed: false });
    assert.equal(calls().length, 1);
    assert.equal(existsSync(join(root, '.maru/install.lock')), false);
  });

  it('are installed again if the lock file changed, an installation was interrupted, or a package is missing', async () => {
    await ensureDependencies({ reporter, environment, root });
    put('package-lock.json', lockOf('2.0.0'));
    putNpm(installs('2.0.0'));
    assert.equal(whyInstall(root), 'package-lock.json has changed');
    await ensureDependencies({ reporter, environment, root });
    rmSync(join(root, 'node_modules/.package-lock.json'));
    assert.equal(whyInstall(root), 'the last install was interrupted');
    await ensureDependencies({ reporter, environment, root });
    rmSync(join(root, 'node_modules/a'), { recursive: true });
    assert.equal(whyInstall(root), 'missing or outdated: a');
    await ensureDependencies({ reporter, environment, root });
    assert.equal(calls().length, 4);
  });

  it('that the user installed are accepted if they are correct', async () => {
    put('node_modules/a/package.json', { version: '1.0.0' });
    put('node_modules/.package-lock.json', {});
    assert.deepEqual(await ensureDependencies({ reporter, environment, root }), { installed: false });
    assert.equal(calls().length, 0);
  });

  it('are installed once if two programs start at the same time', async () => {
    putNpm(`sleep 0.3; ${installs('1.0.0')}`);
    const outcomes = await Promise.all([1, 2].map(() => ensureDependencies({ reporter, environment, root })));
    assert.deepEqual(outcomes.map((outcome) => outcome.installed).sort(), [false, true]);
    assert.equal(calls().length, 1);
  });

  it('a failure shows the output of npm and what to do', async () => {
    putNpm('echo "npm error code ENOTFOUND" >&2; exit 1');
    await assert.rejects(
      ensureDependencies({ reporter, environment, root }),
      /npm ci ended with exit code 1:\nnpm error code ENOTFOUND\n\nThe package registry could not be reached/,
    );
    assert.equal(existsSync(join(root, '.maru/install.lock')), false);
  });

  it('come from the npm that runs the program', () => {
    put('npm-cli.js', '');
    assert.deepEqual(findNpm({ npm_execpath: join(root, 'npm-cli.js'), PATH: '/nowhere' }), {
      file: process.execPath,
      args: [join(root, 'npm-cli.js')],
    });
    assert.equal(findNpm({ npm_execpath: '/opt/yarn.js', PATH: `${root}/bin` }).file, join(root, 'bin/npm'));
  });
});
