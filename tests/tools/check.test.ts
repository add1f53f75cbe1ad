import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { runCheck } from '../../tools/check.mjs';
import { plantTree, REPOSITORY, removeTree } from './planted-tree.ts';

describe('npm run check', () => {
  test('runs every task and prints the output of the failed ones only', async () => {
    const lines: string[] = [];
    const task = (name: string, script: string) => ({ name, command: [process.execPath, '-e', script] });
    const result = await runCheck({
      tasks: [
        task('good', 'console.log("good output")'),
        task('bad', 'console.error("bad output"); process.exit(2)'),
        { name: 'missing', command: ['/nonexistent/program'] },
      ],
      root: REPOSITORY,
      print: (line) => lines.push(line),
    });
    assert.deepEqual(result, { passed: 1, failed: 2 });
    const printed = lines.join('\n');
    assert.match(printed, /bad output/);
    assert.match(printed, /ENOENT/);
    assert.doesNotMatch(printed, /good output/);
  });

  test('exits 1 and names the file when types, lint, sizes, imports or keys are wrong', () => {
    // The rules of the repository. The planted tree is not under Git.
    const { vcs: _, ...biome } = JSON.parse(readFileSync(path.join(REPOSITORY, 'biome.json'), 'utf8'));
    const compilerOptions = { strict: true, noEmit: true, types: [] };
    const root = plantTree({
      'biome.json': JSON.stringify({ ...biome, files: { includes: ['**/*.ts'] } }),
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['bad.ts'] }),
      'bad.ts': 'export const count: number = "three";\n',
      'apps/web/tsconfig.json': JSON.stringify({ compilerOptions, include: ['src/lint.ts'] }),
      'apps/web/src/lint.ts': 'export const a = 1\ndebugger;\n',
      'apps/web/src/long-file.ts': 'run();\n'.repeat(301),
      'apps/web/src/long-function.ts': `export function long() {\n${'  run();\n'.repeat(90)}}\n`,
      'apps/web/src/undeclared.ts': "import '@maru/protocol';\n",
      'loadtest/tsconfig.json': JSON.stringify({ compilerOptions, include: ['src'] }),
      'loadtest/src/x.ts': "import 'express';\n",
      'services/presence/src/x.ts': "export const key = 'maru:x';\n",
    });
    const run = spawnSync(process.execPath, [path.join(REPOSITORY, 'tools/check.mjs'), '--root', root], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    removeTree(root);
    assert.equal(run.status, 1, run.stdout + run.stderr);
    assert.match(run.stdout, /bad\.ts\(1,14\)/);
    assert.match(run.stdout, /noDebugger/);
    assert.match(run.stdout, /long-file.ts.*noExcessiveLinesPerFile/);
    assert.match(run.stdout, /long-function.ts.*noExcessiveLinesPerFunction/);
    assert.match(run.stdout, /undeclared.ts.*noUndeclaredDependencies/);
    assert.match(run.stdout, /loadtest\/src\/x\.ts → .*express.*: declared/);
    assert.match(run.stdout, /presence\/src\/x\.ts:1: only keys\.ts/);
    assert.match(run.stdout, /FAIL types of packages/);
  });
});
