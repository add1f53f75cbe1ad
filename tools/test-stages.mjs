/** The stages of `npm test` that Node's test runner runs, and what they leave behind. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './bootstrap/root.mjs';

/** @typedef {{passed: number, failed: number, skipped: number}} Counts */
/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {number} concurrency how many files at once: two cores, and only one cluster at a time
 * @property {number} fileDeadlineMs
 * @property {number} deadlineMs
 * @property {boolean} sharesCluster
 */

const MINUTE_MS = 60_000;

/** @type {Stage[]} */
export const STAGES = [
  { name: 'check', concurrency: 0, fileDeadlineMs: 0, deadlineMs: 2 * MINUTE_MS, sharesCluster: false },
  { name: 'unit', concurrency: 2, fileDeadlineMs: 2 * MINUTE_MS, deadlineMs: 4 * MINUTE_MS, sharesCluster: false },
  {
    name: 'integration',
    concurrency: 2,
    fileDeadlineMs: 3 * MINUTE_MS,
    deadlineMs: 8 * MINUTE_MS,
    sharesCluster: false,
  },
  { name: 'e2e', concurrency: 1, fileDeadlineMs: 3 * MINUTE_MS, deadlineMs: 11 * MINUTE_MS, sharesCluster: true },
  { name: 'faults', concurrency: 1, fileDeadlineMs: 3 * MINUTE_MS, deadlineMs: 6 * MINUTE_MS, sharesCluster: false },
  { name: 'load', concurrency: 1, fileDeadlineMs: 3 * MINUTE_MS, deadlineMs: 5 * MINUTE_MS, sharesCluster: true },
];

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'coverage']);
const TEST_FILE = /\.test\.(ts|tsx|mjs)$/;
/** What ended stages get before they are killed: longer than a cluster takes to stop. */
const END_GRACE_MS = 30_000;
const LEFTOVER_GRACE_MS = 3_000;

/**
 * Test files of a stage, by where they are and how they are called.
 * @param {string} root
 * @param {string} stage
 * @returns {string[]} paths from the root
 */
export function listTests(root, stage) {
  /** @param {string} folder @returns {string[]} */
  const walk = (folder) =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      if (entry.name.startsWith('.') || SKIPPED_FOLDERS.has(entry.name)) return [];
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return walk(name);
      return TEST_FILE.test(entry.name) && stageOf(root, name) === stage ? [name] : [];
    });
  return walk('').sort();
}

/** What a test that starts a Redis imports or names. */
const NEEDS_REDIS = /@maru\/service-kit\/testing|redis-server/;

/** @param {string} root @param {string} file */
function stageOf(root, file) {
  if (file.startsWith('tests/e2e/')) return 'e2e';
  if (file.startsWith('tests/faults/')) return 'faults';
  if (file.startsWith('tests/load/') || file.endsWith('-under-k6.test.ts')) return 'load';
  if (file.startsWith('tests/integration/') || /\.integration\.test\.\w+$/.test(file)) return 'integration';
  // Tests stand beside what they test; those that need more than Node tell so by what they use.
  if (!file.startsWith('tests/') && NEEDS_REDIS.test(readFileSync(join(root, file), 'utf8'))) return 'integration';
  return 'unit';
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;

/** Ends the stage that runs, if one does, giving it time to end its clusters. */
export function endStage() {
  const child = running;
  if (child?.pid === undefined) return;
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

/**
 * Runs the files of one stage and counts.
 * @param {Omit<Stage, 'name'> & {node: string, files: string[], runDir: string, environment: NodeJS.ProcessEnv, quiet?: boolean}} options
 * @returns {Promise<Counts>}
 */
export function runStage(options) {
  const countsFile = join(options.runDir, 'counts.json');
  const args = [
    '--test',
    `--test-concurrency=${options.concurrency}`,
    `--test-timeout=${options.fileDeadlineMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(join(ROOT, 'tests/support/count-reporter.mjs')).href}`,
    `--test-reporter-destination=${countsFile}`,
    ...(options.sharesCluster ? ['--test-global-setup=tests/support/shared-cluster.ts'] : []),
    ...options.files,
  ];
  return new Promise((resolve) => {
    const child = spawn(options.node, args, {
      cwd: ROOT,
      env: options.environment,
      stdio: options.quiet === true ? 'ignore' : ['ignore', 'inherit', 'inherit'],
      // A group of its own, so that all of it can be ended.
      detached: true,
    });
    running = child;
    const deadline = setTimeout(() => {
      console.error(`\nthe stage took longer than ${options.deadlineMs / 1000} s and is ended`);
      endStage();
    }, options.deadlineMs);
    const settle = (/** @type {boolean} */ ok) => {
      clearTimeout(deadline);
      running = undefined;
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
  if (existsSync(file)) {
    const text = readFileSync(file, 'utf8');
    if (text !== '') counts = JSON.parse(text);
  }
  const failed = (counts.failed ?? 0) + (counts.cancelled ?? 0);
  return {
    passed: counts.passed ?? 0,
    // A runner that fails without naming a test (a set-up that threw, a crash) is a failure all the same.
    failed: ok ? failed : Math.max(1, failed),
    skipped: (counts.skipped ?? 0) + (counts.todo ?? 0),
  };
}

/**
 * Processes that work below `runDir`, by their environment, command line, directory or open files; ended where they do
 * not end by themselves in a moment. Where there is no /proc it finds none.
 * @param {string} runDir
 * @returns {Promise<string[]>} a line for each that had to be ended
 */
export async function findLeftovers(runDir) {
  const deadlineMs = Date.now() + LEFTOVER_GRACE_MS;
  let left = processesBelow(runDir);
  while (left.length > 0 && Date.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = processesBelow(runDir);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in this moment.
    }
  }
  return left.map(({ pid, command }) => `process ${pid}: ${command}`);
}

/** @param {string} runDir */
function processesBelow(runDir) {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && worksBelow(pid, runDir))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 120) }));
}

/** @param {number} pid @param {string} runDir */
function worksBelow(pid, runDir) {
  if (/^State:\s+Z/m.test(read(`/proc/${pid}/status`))) return false;
  if (read(`/proc/${pid}/environ`).includes(runDir) || read(`/proc/${pid}/cmdline`).includes(runDir)) return true;
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
    return [`/proc/${pid}/cwd`, ...links].some((link) => target(link).startsWith(runDir));
  } catch {
    return false;
  }
}

/** What cannot be read is of another user, or has just ended: not ours. @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} link */
function target(link) {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
