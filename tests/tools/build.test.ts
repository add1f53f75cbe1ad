import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildPackages } from '../../tools/build-packages.mjs';
import { buildServices } from '../../tools/build-services.mjs';
import { withDependencies } from '../../tools/workspaces.mjs';
import { REPOSITORY } from './planted-tree.ts';

let out: string;
before(() => {
  out = mkdtempSync(path.join(tmpdir(), 'maru-build-'));
});
after(() => rmSync(out, { recursive: true, force: true }));

const link = (target: string, name: string) => {
  mkdirSync(path.dirname(path.join(out, name)), { recursive: true });
  symlinkSync(target, path.join(out, name));
};

test('a workspace includes the workspaces that it depends on, also indirectly', () => {
  const folders = withDependencies(REPOSITORY, ['services/presence']);
  for (const folder of ['packages/protocol', 'packages/redis-store', 'packages/service-kit', 'services/presence'])
    assert.ok(folders.includes(folder), `${folder} is missing in ${folders}`);
  for (const folder of ['packages/client', 'services/gateway']) assert.ok(!folders.includes(folder), folder);
});

describe('the emitted services', () => {
  test('have their scripts and migrations beside the modules, and no tests', () => {
    buildServices(path.join(out, 'services'));
    const files = (name: string) => existsSync(path.join(out, 'services', name));
    assert.ok(files('services/gateway/src/main.js'));
    assert.ok(files('services/presence/src/store/read-room.lua'));
    assert.ok(files('packages/archive-db/migrations/0001_tables.sql'));
    assert.ok(files('deploy/docker/make-secrets.js'));
    assert.ok(!files('services/presence/src/main.test.js'));
    assert.ok(!files('packages/client'));
  });
});

describe('the published client', () => {
  before(() => {
    buildPackages(path.join(out, 'npm'), '9.8.7');
    link(path.join(out, 'npm/packages/protocol'), 'node_modules/@maru/protocol');
    link(path.join(out, 'npm/packages/client'), 'node_modules/@maru/client');
    for (const name of ['socket.io-client', 'zod'])
      link(path.join(REPOSITORY, 'node_modules', name), `node_modules/${name}`);
  });

  test('can be published with the version of the release', () => {
    const manifest = JSON.parse(readFileSync(path.join(out, 'npm/packages/client/package.json'), 'utf8'));
    assert.equal(manifest.private, undefined);
    assert.equal(manifest.version, '9.8.7');
    assert.equal(manifest.dependencies['@maru/protocol'], '9.8.7');
  });

  test('can be loaded by Node, and its types are found', () => {
    const program = "import { createChatClient } from '@maru/client';\nconst make: number = createChatClient;\n";
    writeFileSync(path.join(out, 'program.mts'), program);
    const tsc = path.join(REPOSITORY, 'node_modules/.bin/tsc');
    const options = ['--noEmit', '--module', 'nodenext', '--target', 'es2024', '--strict', '--types', ''];
    const checked = spawnSync(tsc, [...options, 'program.mts'], { cwd: out, encoding: 'utf8' });
    assert.match(checked.stdout, /^program\.mts\(2,7\): error TS2322[^\n]*ChatClient[^\n]*\n$/);
    const { status, stderr } = spawnSync(process.execPath, ['program.mts'], { cwd: out, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
});
