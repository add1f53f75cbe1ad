import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCheck } from '../../tools/check.mjs';
import { checkImports } from '../../tools/check-imports.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const temporary: string[] = [];
after(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** A small source tree that follows every rule, except for `changes`. */
function plantTree(changes: Record<string, string>): string {
  const root = mkdtempSync(path.join(tmpdir(), 'maru-check-'));
  temporary.push(root);
  const manifest = (name: string, dependencies: string[]) =>
    JSON.stringify({
      name,
      exports: { '.': './src/index.ts' },
      dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '1'])),
    });
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ name: 'root', devDependencies: { 'fast-check': '1' } }),
    'packages/protocol/package.json': manifest('@maru/protocol', ['zod', 'lodash']),
    'packages/protocol/src/index.ts': "import { z } from 'zod';\nexport const a = z;\n",
    'packages/service-kit/package.json': manifest('@maru/service-kit', ['pino', '@maru/protocol']),
    'packages/service-kit/src/index.ts': "import { pino } from 'pino';\nexport const log = pino;\n",
    'packages/client/package.json': manifest('@maru/client', ['@maru/protocol', '@maru/service-kit']),
    'packages/client/src/index.ts': "export * from '@maru/protocol';\n",
    'apps/web/package.json': manifest('@maru/web', ['@maru/client', '@maru/gateway']),
    'apps/web/src/index.ts': "export * from '@maru/client';\n",
    'services/gateway/package.json': manifest('@maru/gateway', [
      '@maru/protocol',
      '@maru/service-kit',
      '@maru/presence',
      'socket.io',
    ]),
    'services/gateway/src/index.ts': "import '@maru/service-kit';\nimport './keys.ts';\n",
    'services/gateway/src/keys.ts': 'export const key = (room: string) => `maru:{${room}}:log`;\n',
    'services/gateway/src/edge/io.ts': "import type { Socket } from 'socket.io';\nexport type S = Socket;\n",
    'services/gateway/src/rooms/rooms.test.ts': "import 'fast-check';\nconst key = 'maru:{a}:log';\n",
    'services/presence/package.json': manifest('@maru/presence', ['@maru/protocol']),
    'services/presence/src/index.ts': "export * from '@maru/protocol';\n",
    ...changes,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

const problemsOf = (changes: Record<string, string>) => checkImports({ root: plantTree(changes) }).problems;

const VIOLATIONS: Array<[what: string, changes: Record<string, string>, expected: RegExp]> = [
  [
    'protocol imports a library other than zod',
    { 'packages/protocol/src/x.ts': "import l from 'lodash';\nexport { l };\n" },
    /protocol\/src\/x\.ts:1: lodash: packages\/protocol imports only zod/,
  ],
  ['protocol imports Node', { 'packages/protocol/src/x.ts': "import 'node:fs';\n" }, /node:fs: runs in browsers too/],
  [
    'service-kit imports product code',
    { 'packages/service-kit/src/x.ts': "\nimport type { A } from '@maru/protocol';\nexport type B = A;\n" },
    /service-kit\/src\/x\.ts:2: @maru\/protocol: .*no product code/,
  ],
  [
    'client imports service-kit',
    { 'packages/client/src/x.ts': "export * from '@maru/service-kit';\n" },
    /client imports only packages\/protocol/,
  ],
  [
    'an app imports a service',
    { 'apps/web/src/x.ts': "export * from '@maru/gateway';\n" },
    /apps import only packages/,
  ],
  [
    'a service imports another by name',
    { 'services/gateway/src/x.ts': "export * from '@maru/presence';\n" },
    /services import only packages/,
  ],
  [
    'a service imports another by path',
    { 'services/gateway/src/x.ts': "export * from '../../presence/src/index.ts';\n" },
    /services import only packages/,
  ],
  [
    'a test of a service imports another service by path',
    { 'services/gateway/src/x.test.ts': "import '../../presence/src/index.ts';\n" },
    /services import only packages/,
  ],
  [
    'a package is reached by a relative path',
    { 'services/gateway/src/x.ts': "export * from '../../../packages/protocol/src/index.ts';\n" },
    /reaches into packages\/protocol by a relative path/,
  ],
  [
    'tests reach into a service',
    { 'tests/e2e/x.test.ts': "import '../../services/gateway/src/index.ts';\n" },
    /tests see the system from outside/,
  ],
  [
    'Socket.IO is imported outside edge/',
    { 'services/gateway/src/rooms/x.ts': "import type {\n  Socket,\n} from 'socket.io';\nexport type S = Socket;\n" },
    /rooms\/x\.ts:3: socket\.io: only edge\//,
  ],
  [
    'Socket.IO is loaded dynamically',
    { 'services/gateway/src/rooms/x.ts': "export const io = await import('socket.io');\n" },
    /only edge\//,
  ],
  [
    'a Redis key is spelled outside keys.ts',
    { 'services/presence/src/x.ts': '// a comment may say maru:x\nexport const key = `maru:presence:${1}`;\n' },
    /presence\/src\/x\.ts:2: only keys\.ts spells Redis keys/,
  ],
  [
    'a Redis key is spelled in a script',
    { 'services/presence/src/x.lua': "-- maru:x in a comment\nredis.call('GET', 'maru:x')\n" },
    /x\.lua:2: only keys\.ts/,
  ],
  [
    'a dependency is not declared',
    { 'services/presence/src/x.ts': "import express from 'express';\nexport { express };\n" },
    /express is not declared in services\/presence/,
  ],
  [
    'two files import each other',
    {
      'services/presence/src/a.ts': "export * from './b.ts';\n",
      'services/presence/src/b.ts': "export * from './c.ts';\n",
      'services/presence/src/c.ts': "export * from './a.ts';\n",
    },
    /import cycle: services\/presence\/src\/a\.ts → services\/presence\/src\/b\.ts → services\/presence\/src\/c\.ts → /,
  ],
  [
    'a file is too long',
    { 'services/presence/src/long.ts': 'export {};\n'.repeat(321) },
    /long\.ts:1: 321 lines; at most 320/,
  ],
];

describe('import rules', () => {
  test('accept a tree that follows them', () => {
    assert.deepEqual(problemsOf({}), []);
  });

  for (const [what, changes, expected] of VIOLATIONS)
    test(`report a violation when ${what}`, () => {
      const problems = problemsOf(changes);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', expected);
    });

  test('let tests/integration import several services', () => {
    const source = "import '../../services/gateway/src/keys.ts';\nimport '@maru/presence';\nimport 'socket.io';\n";
    assert.deepEqual(problemsOf({ 'tests/integration/x.test.ts': source }), []);
    assert.equal(problemsOf({ 'tests/e2e/x.test.ts': source }).length, 3);
  });

  test('ignore imports inside comments, strings, templates and regular expressions', () => {
    const source = [
      "/* import '@maru/presence'; */",
      "// import '@maru/presence';",
      'export const template = `${"}"} // not a comment ${`nested`}`;',
      'export const pattern = /[/"]`/;',
      "export const divided = 4 / 2; // '",
      "export * from '@maru/presence';",
    ].join('\n');
    assert.deepEqual(problemsOf({ 'services/gateway/src/x.ts': source }), [
      'services/gateway/src/x.ts:6: @maru/presence: services import only packages/protocol, packages/redis-store and packages/service-kit',
    ]);
  });
});

describe('npm run check', () => {
  test('runs every task, prints the output of failed tasks only, and counts', async () => {
    const lines: string[] = [];
    const task = (name: string, script: string) => ({ name, command: [process.execPath, '-e', script] });
    const result = await runCheck({
      tasks: [
        task('good', 'console.log("output of a passing task")'),
        task('bad', 'console.error("output of a failing task"); process.exit(2)'),
        { name: 'absent', command: ['/nonexistent/program'] },
      ],
      root: repository,
      print: (line) => lines.push(line),
    });
    assert.deepEqual(result, { passed: 1, failed: 2 });
    const printed = lines.join('\n');
    assert.match(printed, /output of a failing task/);
    assert.match(printed, /ENOENT/);
    assert.doesNotMatch(printed, /output of a passing task/);
  });

  test('exits 1 and names the file when types, lint or imports are wrong', () => {
    const tsconfig = JSON.stringify({ compilerOptions: { strict: true, noEmit: true, types: [] }, include: ['src'] });
    const root = plantTree({
      'tsconfig.json': JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, types: [] },
        files: ['bad.ts'],
      }),
      'bad.ts': 'export const count: number = "three";\n',
      'apps/web/tsconfig.json': tsconfig,
      'apps/web/src/lint.ts': 'export const a = 1\ndebugger;\n',
      'loadtest/tsconfig.json': tsconfig,
      'loadtest/src/x.ts': "import 'undeclared';\n",
    });
    symlinkSync(path.join(repository, 'node_modules'), path.join(root, 'node_modules'));
    const run = spawnSync(process.execPath, [path.join(repository, 'tools/check.mjs'), '--root', root], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(run.status, 1, run.stdout + run.stderr);
    assert.match(run.stdout, /bad\.ts\(1,14\)/);
    assert.match(run.stdout, /noDebugger/);
    assert.match(run.stdout, /undeclared is not declared/);
    assert.match(run.stdout, /FAIL types of packages/);
  });
});
