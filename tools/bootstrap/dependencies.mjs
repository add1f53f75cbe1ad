/** Makes node_modules match package-lock.json. Does nothing if it matches already. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { Failure } from './failure.mjs';
import { waitForLock } from './lock.mjs';
import { isMusl, pinnedNodePath, runsNode } from './node.mjs';
import { currentPlatform, findMissing, pinnedTree } from './package-tree.mjs';
import { DEFAULT_DATA_DIR, ROOT } from './root.mjs';
import { describeRun, run, succeeded } from './run.mjs';

/** @typedef {import('./terminal.mjs').Reporter} Reporter */

const INSTALL_DEADLINE_MS = 15 * 60_000;

/** @param {string} root */
const stampPath = (root) => join(root, 'node_modules', '.maru', 'installed.json');

/** @param {string} root @returns {Record<string, import('./package-tree.mjs').LockEntry>} */
const readLock = (root) => JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;

/**
 * A hash of the wanted tree. Another lock file or platform makes the installed tree stale.
 * @param {string} root
 */
const fingerprint = (root) =>
  createHash('sha256')
    .update(pinnedTree(readLock(root), currentPlatform()))
    .digest('hex');

/** @param {string} root @returns {string | undefined} */
function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampPath(root), 'utf8')).fingerprint;
  } catch {
    return undefined;
  }
}

/** @param {string} root */
function writeStamp(root) {
  mkdirSync(dirname(stampPath(root)), { recursive: true });
  writeFileSync(stampPath(root), JSON.stringify({ fingerprint: fingerprint(root) }));
}

/**
 * The reason why packages must be installed, or null.
 * @param {string} root
 * @returns {string | null}
 */
export function whyInstall(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing';
  // npm writes this file last. If it is missing, the last installation was interrupted.
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return 'the last install was interrupted';
  const stamp = readStamp(root);
  if (stamp !== undefined && stamp !== fingerprint(root)) return 'package-lock.json has changed';
  const missing = findMissing(readLock(root), currentPlatform(), (path) => {
    try {
      return JSON.parse(readFileSync(join(root, path), 'utf8')).version ?? '';
    } catch {
      return undefined;
    }
  });
  if (missing.length > 0) return `missing or outdated: ${missing.join(', ')}`;
  const pinned = pinnedNodePath(root);
  if (existsSync(pinned) && !isMusl() && !runsNode(pinned)) return 'the pinned Node does not run';
  return null;
}

/**
 * How to call npm: the npm that runs this program, one on the PATH, or the one of this Node.js.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {{file: string, args: string[]}}
 */
export function findNpm(environment) {
  const caller = environment.npm_execpath;
  if (caller !== undefined && basename(caller) === 'npm-cli.js' && existsSync(caller))
    return { file: process.execPath, args: [caller] };
  for (const directory of (environment.PATH ?? '').split(delimiter)) {
    const candidate = join(directory, 'npm');
    if (directory !== '' && existsSync(candidate)) return { file: candidate, args: [] };
  }
  const bundled = join(dirname(dirname(process.execPath)), 'lib/node_modules/npm/bin/npm-cli.js');
  if (existsSync(bundled)) return { file: process.execPath, args: [bundled] };
  throw new Failure('npm was not found. Install Node with npm (https://nodejs.org), then try again.');
}

/** npm prints the problem first, and then its usage. @param {string} output of npm */
function excerpt(output) {
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /^npm (error|ERR!) *\S/.test(line));
  return errors.length > 0 ? errors.slice(0, 15).join('\n') : lines.slice(-15).join('\n');
}

/** @param {string} output of npm */
function advice(output) {
  if (/\bE(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH)\b/i.test(output))
    return 'The package registry could not be reached: check the network, and the registry and proxy in ~/.npmrc.';
  if (/\bENOSPC\b/.test(output)) return 'The disk is full. Free some space, then try again.';
  if (/\b(EACCES|EPERM)\b/.test(output))
    return `A file is not writable: check the owner of ${ROOT} and ~/.npm ("sudo npm" creates files of root).`;
  if (/\bEINTEGRITY\b/.test(output)) return 'A download was damaged: npm cache clean --force, then try again.';
  if (/\bEUSAGE\b/.test(output)) return 'package.json and package-lock.json disagree: "git status" shows the change.';
  return `Run "npm ci" in ${ROOT} by hand to see more; its log is in ~/.npm/_logs.`;
}

/**
 * Runs `npm ci` if node_modules is missing, stale or incomplete. Two programs in one clone take
 * turns.
 * @param {{reporter: Reporter, environment: NodeJS.ProcessEnv, root?: string}} options
 * @returns {Promise<{installed: boolean}>}
 * @throws {Failure} if npm is missing or fails; the message says what to do
 */
export async function ensureDependencies({ reporter, environment, root = ROOT }) {
  if (whyInstall(root) === null) {
    if (readStamp(root) === undefined) writeStamp(root);
    return { installed: false };
  }
  const lockPath = join(root === ROOT ? DEFAULT_DATA_DIR : join(root, '.maru'), 'install.lock');
  mkdirSync(dirname(lockPath), { recursive: true, mode: 0o700 });
  const lock = await waitForLock(lockPath, {
    waitMs: INSTALL_DEADLINE_MS,
    onWait: (holder) => reporter.step('dependencies', `another start is installing them (pid ${holder.pid}); waiting`),
  });
  if (lock === null) throw new Failure(`Another install did not end. If none runs, remove ${lockPath}.`);
  try {
    const reason = whyInstall(root);
    if (reason === null) return { installed: false };
    await install({ reporter, environment, root, reason });
    return { installed: true };
  } finally {
    lock.release();
  }
}

/**
 * @param {{reporter: Reporter, environment: NodeJS.ProcessEnv, root: string, reason: string}}
 *   options
 */
async function install({ reporter, environment, root, reason }) {
  reporter.step('dependencies', `npm ci (${reason})`);
  const npm = findNpm(environment);
  // These flags override the npm settings and NODE_ENV of the user: install everything, and run no
  // install scripts.
  const flags = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const startedAtMs = Date.now();
  const result = await run(npm.file, [...npm.args, ...flags], {
    cwd: root,
    env: { ...environment, NODE_ENV: 'development' },
    deadlineMs: INSTALL_DEADLINE_MS,
    onProgress: (elapsedMs) => reporter.step('dependencies', `still installing, ${Math.round(elapsedMs / 1_000)} s`),
  });
  if (!succeeded(result)) {
    throw new Failure(`npm ci ${describeRun(result)}:\n${excerpt(result.output)}\n\n${advice(result.output)}`);
  }
  const still = whyInstall(root);
  if (still !== null) throw new Failure(`npm ci succeeded, but ${still}. Remove node_modules and try again.`);
  writeStamp(root);
  reporter.step('dependencies', `installed in ${Math.round((Date.now() - startedAtMs) / 1_000)} s`);
}
