/** The stages of `npm test`, when they run, and which test files belong to each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Files of a stage that run side by side with its other groups.
 * @typedef {object} Group
 * @property {number} concurrency how many files run at once
 * @property {boolean} sharesCluster whether one cluster is started for all of them
 * @property {(source: string) => boolean} [takes] which files, by their text; without it, all
 */
/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {Group[]} groups empty for a stage that runs no test files
 * @property {number} fileDeadlineMs
 * @property {number} deadlineMs
 */

/**
 * Deadlines only stop tests that hang. The same tests took 216 s on one machine and more than 480 s
 * on another with the same number of cores.
 */
const MINUTE_MS = 60_000;
const SHARED_CLUSTER = /\bsharedCluster\(\)/;
const BROWSER = /\blaunchBrowser\(|fake-pages/;

/**
 * Phases run one after the other, the lanes of a phase side by side, and the stages of a lane one
 * after the other. Lanes that mostly wait leave the cores to the others.
 */
export const PHASES = [[['unit'], ['check']], [['integration']], [['e2e'], ['faults', 'load']]];

/** @type {Stage[]} */
export const STAGES = [
  { name: 'check', groups: [], fileDeadlineMs: 0, deadlineMs: 10 * MINUTE_MS },
  {
    name: 'unit',
    // These tests wait more than they compute, so several files at once suit two cores.
    groups: [{ concurrency: 4, sharesCluster: false }],
    fileDeadlineMs: 4 * MINUTE_MS,
    deadlineMs: 20 * MINUTE_MS,
  },
  {
    name: 'integration',
    // Most of these files wait for timeouts of the processes that they start.
    groups: [{ concurrency: 4, sharesCluster: false }],
    fileDeadlineMs: 6 * MINUTE_MS,
    deadlineMs: 40 * MINUTE_MS,
  },
  {
    name: 'e2e',
    // Files that share a cluster run one after the other: they also share its limits. The last
    // group has no browser, and mostly waits.
    groups: [
      { concurrency: 1, sharesCluster: true, takes: (source) => SHARED_CLUSTER.test(source) },
      { concurrency: 1, sharesCluster: false, takes: (source) => !SHARED_CLUSTER.test(source) && BROWSER.test(source) },
      {
        concurrency: 1,
        sharesCluster: false,
        takes: (source) => !SHARED_CLUSTER.test(source) && !BROWSER.test(source),
      },
    ],
    fileDeadlineMs: 10 * MINUTE_MS,
    deadlineMs: 40 * MINUTE_MS,
  },
  {
    name: 'faults',
    groups: [{ concurrency: 1, sharesCluster: false }],
    fileDeadlineMs: 6 * MINUTE_MS,
    deadlineMs: 40 * MINUTE_MS,
  },
  {
    name: 'load',
    groups: [{ concurrency: 1, sharesCluster: true }],
    fileDeadlineMs: 5 * MINUTE_MS,
    deadlineMs: 20 * MINUTE_MS,
  },
];

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'coverage']);
const TEST_FILE = /\.test\.(ts|tsx|mjs)$/;
/** What the source of a test contains if the test starts a Redis. */
const NEEDS_REDIS = /@maru\/service-kit\/testing|redis-server/;
/**
 * Files that start or wait for several processes run longest. They come first, so that no long file
 * is left at the end.
 */
const LONG = /^(tests|bench|packages\/redis-store)\//;

/**
 * The test files of a stage, in the order in which they should run.
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
  const files = walk('').sort();
  return [...files.filter((file) => LONG.test(file)), ...files.filter((file) => !LONG.test(file))];
}

/**
 * @param {string} root
 * @param {Stage} stage
 * @returns {Array<Group & {files: string[]}>} groups that have files
 */
export function groupTests(root, stage) {
  const files = listTests(root, stage.name);
  return stage.groups
    .map((group) => ({
      ...group,
      files: files.filter((file) => group.takes?.(readFileSync(join(root, file), 'utf8')) ?? true),
    }))
    .filter((group) => group.files.length > 0);
}

/** @param {string} root @param {string} file */
function stageOf(root, file) {
  if (file.startsWith('tests/e2e/')) return 'e2e';
  if (file.startsWith('tests/faults/') || file.startsWith('tests/security/')) return 'faults';
  if (file.startsWith('tests/load/') || file.endsWith('-under-k6.test.ts')) return 'load';
  if (/^tests\/(integration|attacks)\//.test(file) || /\.integration\.test\.\w+$/.test(file)) return 'integration';
  // Tests are beside the code that they test. The imports of a test show whether it needs more than
  // Node.
  if (!file.startsWith('tests/') && NEEDS_REDIS.test(readFileSync(join(root, file), 'utf8'))) return 'integration';
  return 'unit';
}
