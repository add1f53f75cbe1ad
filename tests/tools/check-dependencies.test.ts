import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkDependencies,
  oldImages,
  oldPackages,
  productionPackages,
  renderLicences,
  unwantedLicences,
} from '../../tools/check-dependencies.mjs';
import { plantTree, REPOSITORY, removeTree } from './planted-tree.ts';

test('the repository passes', () => {
  assert.deepEqual(checkDependencies({ root: REPOSITORY, write: false }), []);
});

test('every copy of a package below its floor is reported', () => {
  const lock = {
    'node_modules/ws': { version: '8.21.0' },
    'node_modules/a/node_modules/ws': { version: '8.20.9' },
    'node_modules/engine.io': { version: '6.6.11' },
    'node_modules/socket.io-parser': { version: '4.10.0' },
    'node_modules/flows': { version: '0.0.1' },
  };
  assert.deepEqual(
    oldPackages(lock).map((line) => line.match(/: (\S+ \S+) has/)?.[1]),
    ['ws 8.20.9', 'engine.io 6.6.11'],
  );
});

test('an image below the floor of its series is reported, for each way of naming it', () => {
  const isOld = (text: string) => oldImages('f', text).length > 0;
  for (const old of [
    'ARG REDIS_IMAGE=redis:8.2.1',
    'FROM redis:7.4.5 AS x',
    'image: docker.io/library/redis:7.2.10',
    // An unmaintained series.
    'FROM redis:8.0',
    'FROM redis:7.0.15',
    'FROM redis:6',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as compose writes it
    'image: ${NGINX_IMAGE:-nginx:1.30.3}',
    'FROM nginx:1.29.7-alpine',
  ])
    assert.ok(isOld(old), old);
  for (const safe of [
    'FROM redis:8',
    'FROM redis:8.2.2-alpine',
    'FROM redis:8.4.0',
    'FROM redis:7.4',
    'FROM redis:7.2.11',
    'FROM nginx:1.30',
    'FROM nginx:1.31.0',
    'FROM my-redis:6',
    'image: maru/redis:local',
  ])
    assert.ok(!isOld(safe), safe);
});

test('production contains what services and the page need, but not their build tools', () => {
  const lock = {
    'services/gateway': { dependencies: { '@maru/kit': '1', a: '1' }, devDependencies: { dev: '1' } },
    'apps/web': { dependencies: { vite: '1', ui: '1' } },
    'packages/kit': { dependencies: { b: '1' } },
    'tools/supervisor': { dependencies: { tool: '1' } },
    'node_modules/@maru/kit': { link: true, resolved: 'packages/kit' },
    'node_modules/a': { license: 'MIT', version: '1.0.0', dependencies: { b: '2' }, peerDependencies: { p: '1' } },
    'node_modules/a/node_modules/b': { license: 'GPL-3.0-only', version: '2.0.0' },
    'node_modules/b': { license: '(GPL-2.0 OR MIT)', version: '1.0.0' },
    'node_modules/p': { license: 'MIT AND GPL-2.0', version: '1.0.0' },
    'node_modules/dev': { license: 'GPL-3.0-only' },
    'node_modules/tool': {},
    'node_modules/ui': { version: '1.0.0' },
    'node_modules/vite': {},
  };
  assert.deepEqual(productionPackages(lock), [
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/b',
    'node_modules/p',
    'node_modules/ui',
  ]);
  assert.deepEqual(
    unwantedLicences(lock).map((line) => line.match(/: (\S+ \S+) has the licence (.*)/)?.slice(1)),
    [
      ['b 2.0.0', 'GPL-3.0-only'],
      ['p 1.0.0', 'MIT AND GPL-2.0'],
      ['ui 1.0.0', 'unknown'],
    ],
  );
  assert.match(renderLicences(lock), /^## MIT\n- a 1\.0\.0\n/m);
});

test('an outdated list of licences is reported', () => {
  const packages = {
    'services/gateway': { dependencies: { a: '1' } },
    'node_modules/a': { version: '1', license: 'MIT' },
  };
  const files = { 'package-lock.json': JSON.stringify({ packages }), 'docs/licences.md': 'old' };
  const root = plantTree({ ...files, 'deploy/docker/redis.Dockerfile': 'ARG REDIS_IMAGE=redis:8.2.1\n' });
  const problems = checkDependencies({ root, write: false });
  assert.deepEqual(
    problems.map((problem) => problem.split(' ')[0]),
    ['deploy/docker/redis.Dockerfile:', 'docs/licences.md'],
  );
  assert.equal(checkDependencies({ root, write: true }).length, 1);
  removeTree(root);
});
