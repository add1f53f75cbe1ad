/** Decides whether node_modules matches the lock file. It does not use npm. */
import { join } from 'node:path';

/**
 * One entry of package-lock.json.
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [link]
 * @property {boolean} [optional]
 * @property {string | string[]} [os]
 * @property {string | string[]} [cpu]
 * @property {string | string[]} [libc]
 */
/** @typedef {{os: string, cpu: string, libc: string}} Platform */

/** @returns {Platform} */
export function currentPlatform() {
  const report = /** @type {{header?: {glibcVersionRuntime?: string}}} */ (process.report?.getReport() ?? {});
  const libc = process.platform !== 'linux' ? '' : report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return { os: process.platform, cpu: process.arch, libc };
}

/**
 * @param {string | string[] | undefined} rule as npm reads `os`, `cpu`, `libc`: names, or `!name`
 * @param {string} actual
 */
function allows(rule, actual) {
  if (rule === undefined) return true;
  const names = typeof rule === 'string' ? [rule] : rule;
  if (names.some((name) => name === `!${actual}`)) return false;
  const wanted = names.filter((name) => !name.startsWith('!'));
  return wanted.length === 0 || wanted.includes(actual);
}

/** @param {LockEntry} entry @param {Platform} platform */
const fitsPlatform = (entry, platform) =>
  allows(entry.os, platform.os) && allows(entry.cpu, platform.cpu) && allows(entry.libc, platform.libc);

/**
 * Installed packages are below node_modules. The other entries are the workspaces.
 * @param {string} path
 */
const isInstalled = (path) => path.startsWith('node_modules/') || path.includes('/node_modules/');

/**
 * Whether npm certainly installs this package on this platform. Of the optional packages, only
 * those for exactly this platform are certain: the binaries that tools need.
 * @param {LockEntry} entry @param {Platform} platform
 */
export function isExpected(entry, platform) {
  if (entry.optional === true && (entry.os === undefined || entry.cpu === undefined)) return false;
  return fitsPlatform(entry, platform);
}

/**
 * What the lock file pins for this platform, as text for comparison. A tree for another platform is
 * stale. Entries for other platforms, and the dependencies of packages, are left out: they do not
 * change the tree.
 * @param {Record<string, LockEntry>} packages @param {Platform} platform
 */
export function pinnedTree(packages, platform) {
  const lines = Object.entries(packages)
    .filter(([path, entry]) => isInstalled(path) && fitsPlatform(entry, platform))
    .map(([path, { version, integrity, link }]) => JSON.stringify([path, version, integrity, link]));
  return [`${platform.os} ${platform.cpu} ${platform.libc}`, ...lines.sort()].join('\n');
}

/**
 * The first packages that are missing or have another version.
 * @param {Record<string, LockEntry>} packages `packages` of package-lock.json
 * @param {Platform} platform
 * @param {(path: string) => string | undefined} installedVersion of the package in that directory
 *   (relative to the root), `''` for one without a version, undefined when it is not there
 * @param {number} [limit]
 * @returns {string[]}
 */
export function findMissing(packages, platform, installedVersion, limit = 5) {
  /** @type {string[]} */
  const missing = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (!isInstalled(path) || !isExpected(entry, platform)) continue;
    const version = installedVersion(join(path, 'package.json'));
    const right =
      version !== undefined && (entry.link === true || entry.version === undefined || version === entry.version);
    if (!right) missing.push(path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    if (missing.length >= limit) break;
  }
  return missing;
}
