import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findLeftovers } from '../../tools/test-leftovers.mjs';
import { runStage } from '../../tools/test-runner.mjs';
import { groupTests, listTests, STAGES } from '../../tools/test-stages.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maru-stages-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const run = (...groups: string[][]) => {
  // The test runner sets this variable for its children, and this test is one of them.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  return runStage({
    node: process.execPath,
    groups: groups.map((files) => ({ files, concurrency: 1, sharesCluster: false })),
    runDir: folder,
    environment,
    fileDeadlineMs: 10_000,
    deadlineMs: 20_000,
    output: 'none',
  });
};

describe('a stage', () => {
  test('selects its files by folder and name', () => {
    for (const name of [
      'packages/a/src/a.test.ts',
      'tests/e2e/b.test.ts',
      'services/c/c.integration.test.ts',
      'tests/attacks/e.test.ts',
      'node_modules/d.test.ts',
    ])
      write(`tree/${name}`, '');
    write('tree/services/c/store.test.ts', "import { startTestRedis } from '@maru/service-kit/testing';\n");
    write('tree/loadtest/thresholds-under-k6.test.ts', '');
    const root = path.join(folder, 'tree');
    assert.deepEqual(listTests(root, 'unit'), ['packages/a/src/a.test.ts']);
    assert.deepEqual(listTests(root, 'integration'), [
      'tests/attacks/e.test.ts',
      'services/c/c.integration.test.ts',
      'services/c/store.test.ts',
    ]);
    assert.deepEqual(listTests(root, 'load'), ['loadtest/thresholds-under-k6.test.ts']);
    assert.deepEqual(listTests(root, 'e2e'), ['tests/e2e/b.test.ts']);
  });

  test('separates files that share a cluster from browser tests and from others', () => {
    write('grouped/tests/e2e/own.test.ts', 'await startCluster();\n');
    write('grouped/tests/e2e/browser.test.ts', 'await startCluster();\nawait launchBrowser();\n');
    write('grouped/tests/e2e/shared.test.ts', 'await sharedCluster();\n');
    const e2e = STAGES.find(({ name }) => name === 'e2e');
    assert.ok(e2e);
    assert.deepEqual(
      groupTests(path.join(folder, 'grouped'), e2e).map(({ files, sharesCluster }) => ({ files, sharesCluster })),
      [
        { files: ['tests/e2e/shared.test.ts'], sharesCluster: true },
        { files: ['tests/e2e/browser.test.ts'], sharesCluster: false },
        { files: ['tests/e2e/own.test.ts'], sharesCluster: false },
      ],
    );
  });

  test('counts passed, failed and skipped tests over all files', async () => {
    const counted = write(
      'counted.test.mjs',
      "import { test } from 'node:test';\ntest('a', () => {});\ntest('b', () => { throw new Error('b'); });\ntest('c', { skip: true }, () => {});\n",
    );
    const good = write('good.test.mjs', "import { test } from 'node:test';\ntest('d', () => {});\n");
    assert.deepEqual(await run([counted, good]), { passed: 2, failed: 1, skipped: 1 });
    assert.deepEqual(await run([counted], [good]), { passed: 2, failed: 1, skipped: 1 });
  });

  test('fails for a file that cannot be loaded', async () => {
    const broken = write('broken.test.mjs', 'import "./absent.mjs";\n');
    assert.deepEqual(await run([broken]), { passed: 0, failed: 1, skipped: 0 });
  });

  test('reports and kills processes left behind, found by environment and by open files', async () => {
    const runDir = path.join(folder, 'left');
    mkdirSync(runDir);
    const log = path.join(runDir, 'log');
    const children = [
      spawn('sleep', ['60'], { env: { PATH: process.env.PATH, TMPDIR: runDir }, stdio: 'ignore' }),
      spawn('sh', ['-c', `exec sleep 60 > ${log}`], { env: { PATH: process.env.PATH }, stdio: 'ignore' }),
    ];
    const ends = children.map((child) => new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal))));
    const left = await findLeftovers(runDir);
    assert.equal(left.length, 2, left.join('\n'));
    for (const line of left) assert.match(line, /sleep 60/);
    assert.deepEqual(await Promise.all(ends), ['SIGKILL', 'SIGKILL']);
    assert.deepEqual(await findLeftovers(runDir), []);
  });
});

describe('npm test', () => {
  const npmTest = (...args: string[]) =>
    spawnSync(process.execPath, ['tools/test.mjs', ...args], { cwd: repository, encoding: 'utf8', timeout: 20_000 });

  test('--help lists the stages', () => {
    const { status, stdout } = npmTest('--help');
    assert.equal(status, 0);
    for (const stage of ['check', 'unit', 'integration', 'e2e', 'faults', 'load'])
      assert.match(stdout, new RegExp(`^  ${stage} `, 'm'));
  });

  test('refuses an unknown stage or option', () => {
    for (const args of [['--only', 'nope'], ['--only'], ['--nope']])
      assert.equal(npmTest(...args).status, 2, args.join(' '));
  });
});
