/** Whether node_modules is what the lock file says, decided from the two. Knows nothing of npm itself. */
import { join } from 'node:path';

/**
 * One entry of package-lock.json.
 * @typedef {object} LockEntry
 * @property {string} [version]
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

/** @param {string | string[] | undefined} rule as npm reads `os`, `cpu`, `libc`: names, or `!name` @param {string} actual */
function allows(rule, actual) {
  if (rule === undefined) return true;
  const names = typeof rule === 'string' ? [rule] : rule;
  if (names.some((name) => name === `!${actual}`)) return false;
  const wanted = names.filter((name) => !name.startsWith('!'));
  return wanted.length === 0 || wanted.includes(actual);
}

/**
 * Whether npm puts this package into the tree of this platform for certain. Of the optional ones only those are certain that
 * were made for exactly this platform: the binaries that tools cannot do without.
 * @param {LockEntry} entry @param {Platform} platform
 */
export function isExpected(entry, platform) {
  const fits = allows(entry.os, platform.os) && allows(entry.cpu, platform.cpu) && allows(entry.libc, platform.libc);
  if (entry.optional !== true) return fits;
  return fits && entry.os !== undefined && entry.cpu !== undefined;
}

/**
 * The first packages that are missing, or are there in another version.
 * @param {Record<string, LockEntry>} packages `packages` of package-lock.json
 * @param {Platform} platform
 * @param {(path: string) => string | undefined} installedVersion of the package in that directory (relative to the root), `''`
 *   for one without a version, undefined when it is not there
 * @param {number} [limit]
 * @returns {string[]}
 */
export function findMissing(packages, platform, installedVersion, limit = 5) {
  /** @type {string[]} */
  const missing = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) continue;
    if (!isExpected(entry, platform)) continue;
    const version = installedVersion(join(path, 'package.json'));
    const right =
      version !== undefined && (entry.link === true || entry.version === undefined || version === entry.version);
    if (!right) missing.push(path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    if (missing.length >= limit) break;
  }
  return missing;
}
