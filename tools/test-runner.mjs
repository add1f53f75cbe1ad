/** Runs the test files of one stage of `npm test` in processes of their own, and counts. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bootstrap/root.mjs';

/** @typedef {{passed: number, failed: number, skipped: number}} Counts */

const RUNNER = join(ROOT, 'tools/run-test-files.mjs');
/** How long stopped tests get before they are killed: longer than a cluster takes to stop. */
const END_GRACE_MS = 30_000;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Stops the tests that run now. They get time to stop their clusters. */
export function stopTests() {
  for (const child of running) {
    const signal = (/** @type {NodeJS.Signals} */ name) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // It has ended.
      }
    };
    signal('SIGTERM');
    setTimeout(() => signal('SIGKILL'), END_GRACE_MS).unref();
  }
}

/**
 * Runs the groups of a stage side by side. The output of the first group appears at once, that of
 * another when it ends.
 * @param {{node: string, groups: Array<import('./test-stages.mjs').Group & {files: string[]}>,
 *   fileDeadlineMs: number, deadlineMs: number, runDir: string, environment: NodeJS.ProcessEnv,
 *   output?: 'live' | 'none' | ((text: string) => void)}} options `node`: a Node ≥ 24; `output`: a
 *   function gets the output of each group when it ends
 * @returns {Promise<Counts>}
 */
export async function runStage({ groups, ...options }) {
  const deadline = setTimeout(() => {
    console.error(`\nThe stage took longer than ${options.deadlineMs / 1000} s and is stopped.`);
    stopTests();
  }, options.deadlineMs);
  try {
    return addCounts(await Promise.all(groups.map((group, index) => runGroup({ ...options, group, index }))));
  } finally {
    clearTimeout(deadline);
  }
}

/** @param {Counts[]} all @returns {Counts} */
export const addCounts = (all) => ({
  passed: all.reduce((sum, { passed }) => sum + passed, 0),
  failed: all.reduce((sum, { failed }) => sum + failed, 0),
  skipped: all.reduce((sum, { skipped }) => sum + skipped, 0),
});

/**
 * @param {Omit<Parameters<typeof runStage>[0], 'groups'> & {group:
 *   import('./test-stages.mjs').Group & {files: string[]}, index: number}} options
 * @returns {Promise<Counts>}
 */
function runGroup({ node, group, index, fileDeadlineMs, runDir, environment, output = 'live' }) {
  const countsFile = join(runDir, `counts-${index}.json`);
  const outputFile = join(runDir, `output-${index}.txt`);
  const task = {
    files: group.files,
    concurrency: group.concurrency,
    timeoutMs: fileDeadlineMs,
    countsFile,
    ...(group.sharesCluster ? { globalSetup: 'tests/support/shared-cluster.ts' } : {}),
  };
  rmSync(countsFile, { force: true });
  const inherits = output === 'live' && index === 0;
  const file = output === 'none' || inherits ? undefined : openSync(outputFile, 'w');
  const stream = file ?? (inherits ? 'inherit' : 'ignore');
  return new Promise((resolve) => {
    const child = spawn(node, [RUNNER, JSON.stringify(task)], {
      cwd: ROOT,
      env: environment,
      stdio: ['ignore', stream, stream],
      // A process group of its own, so that a signal reaches all of it.
      detached: true,
    });
    running.add(child);
    const settle = (/** @type {boolean} */ ok) => {
      running.delete(child);
      if (file !== undefined) {
        closeSync(file);
        const text = readFileSync(outputFile, 'utf8');
        if (output instanceof Function) output(text);
        else process.stdout.write(text);
      }
      resolve(readCounts(countsFile, ok));
    };
    child.once('error', (error) => {
      console.error(error.message);
      settle(false);
    });
    child.once('exit', (code) => settle(code === 0));
  });
}

/** @param {string} file @param {boolean} ok @returns {Counts} */
function readCounts(file, ok) {
  /** @type {Record<string, number>} */
  let counts = {};
  if (existsSync(file)) counts = JSON.parse(readFileSync(file, 'utf8'));
  const failed = (counts.failed ?? 0) + (counts.cancelled ?? 0);
  return {
    passed: counts.passed ?? 0,
    // A run that fails without a failed test (its set-up threw, it crashed) counts as one failure.
    failed: ok ? failed : Math.max(1, failed),
    skipped: (counts.skipped ?? 0) + (counts.todo ?? 0),
  };
}
