/** Builds the web client if its inputs have changed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Failure } from './failure.mjs';
import { waitForLock } from './lock.mjs';
import { DEFAULT_DATA_DIR, ROOT } from './root.mjs';
import { describeRun, run, succeeded } from './run.mjs';

/** @typedef {import('./terminal.mjs').Reporter} Reporter */

const BUILD_DEADLINE_MS = 3 * 60_000;
const INPUTS = [
  'apps/web',
  'packages/client/src',
  'packages/client/package.json',
  'packages/protocol/src',
  'packages/protocol/package.json',
  'package-lock.json',
  'tsconfig.json',
];
const SKIPPED = new Set(['dist', 'node_modules']);

export const WEB_ROOT = join(ROOT, 'apps/web/dist');

/**
 * Hashes names and contents, in the same order on every machine.
 * @param {string} root
 * @param {readonly string[]} inputs files and directories relative to `root`; absent ones are
 *   skipped
 */
export function hashInputs(root, inputs) {
  const hash = createHash('sha256');
  /** @param {string} path */
  const add = (path) => {
    let entries;
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch {
      if (!existsSync(path)) return;
      const content = readFileSync(path);
      hash.update(`${relative(root, path)}\0${content.length}\0`).update(content);
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!SKIPPED.has(entry.name)) add(join(path, entry.name));
    }
  };
  for (const input of inputs) add(join(root, input));
  return hash.digest('hex');
}

/**
 * Runs `vite build` in apps/web if its sources, those of the bundled packages, or the lock file
 * have changed.
 * @param {{node: string, reporter: Reporter, environment: NodeJS.ProcessEnv}} options `node` is a
 *   Node >= 24
 * @returns {Promise<{built: boolean, webRoot: string}>}
 * @throws {Failure} with the output of Vite
 */
export async function ensureWebBuilt({ node, reporter, environment }) {
  const stamp = join(ROOT, 'node_modules/.maru/web.json');
  const isCurrent = () => {
    try {
      const { hash } = JSON.parse(readFileSync(stamp, 'utf8'));
      return hash === hashInputs(ROOT, INPUTS) && existsSync(join(WEB_ROOT, 'index.html'));
    } catch {
      return false;
    }
  };
  if (isCurrent()) return { built: false, webRoot: WEB_ROOT };
  mkdirSync(DEFAULT_DATA_DIR, { recursive: true, mode: 0o700 });
  const lock = await waitForLock(join(DEFAULT_DATA_DIR, 'build.lock'), {
    waitMs: BUILD_DEADLINE_MS,
    onWait: (holder) => reporter.step('web client', `another start is building it (pid ${holder.pid}); waiting`),
  });
  if (lock === null)
    throw new Failure(`Another build did not end. If none runs, remove ${DEFAULT_DATA_DIR}/build.lock.`);
  try {
    if (isCurrent()) return { built: false, webRoot: WEB_ROOT };
    const hash = hashInputs(ROOT, INPUTS);
    reporter.step('web client', 'building');
    await build({ node, reporter, environment });
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, JSON.stringify({ hash }));
    return { built: true, webRoot: WEB_ROOT };
  } finally {
    lock.release();
  }
}

/** @param {{node: string, reporter: Reporter, environment: NodeJS.ProcessEnv}} options */
async function build({ node, reporter, environment }) {
  // Built in another folder and then renamed, so that a running cluster never serves an incomplete
  // page.
  const fresh = join(ROOT, 'node_modules/.maru/web');
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const result = await run(node, [vite, 'build', join(ROOT, 'apps/web'), '--outDir', fresh, '--emptyOutDir'], {
    cwd: join(ROOT, 'apps/web'),
    env: { ...environment, NODE_ENV: 'production', NO_COLOR: '1', FORCE_COLOR: undefined },
    deadlineMs: BUILD_DEADLINE_MS,
    onProgress: (elapsedMs) => reporter.step('web client', `still building, ${Math.round(elapsedMs / 1_000)} s`),
  });
  if (!succeeded(result)) {
    // Vite prints the error first, then its own stack.
    const said = result.output.trim().split('\n').slice(0, 20).join('\n');
    throw new Failure(`Building the web client failed (vite ${describeRun(result)}):\n${said}`);
  }
  const old = join(ROOT, 'node_modules/.maru/web-old');
  rmSync(old, { recursive: true, force: true });
  if (existsSync(WEB_ROOT)) renameSync(WEB_ROOT, old);
  renameSync(fresh, WEB_ROOT);
  rmSync(old, { recursive: true, force: true });
}
