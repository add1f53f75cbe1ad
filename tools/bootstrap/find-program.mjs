/** Finds executables. */
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** On Debian, servers are not on the PATH of ordinary users. */
const EXTRA_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/bin'];

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The paths that a pattern names: `*` stands for any part of one name. The highest version first.
 * @param {string} pattern absolute
 * @returns {string[]}
 */
function expand(pattern) {
  const [before = '', ...rest] = pattern.split('*');
  const after = rest.join('*');
  if (rest.length === 0) return [pattern];
  const parent = before.slice(0, before.lastIndexOf('/'));
  const start = before.slice(parent.length + 1);
  const end = after.split('/')[0] ?? '';
  try {
    return readdirSync(parent)
      .filter((name) => name.startsWith(start) && name.endsWith(end))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => `${parent}/${name}${after.slice(end.length)}`);
  } catch {
    return [];
  }
}

/**
 * Finds executables: those on the PATH, then those in the usual folders for servers, then those in
 * `places`.
 * @param {readonly string[]} names best first
 * @param {NodeJS.ProcessEnv} environment
 * @param {readonly string[]} [places] absolute paths, which may contain one `*`
 * @returns {string[]} absolute paths; of several links to one file only the first
 */
export function findPrograms(names, environment, places = []) {
  const directories = [
    ...(environment.PATH ?? '').split(delimiter).filter((d) => d.startsWith('/')),
    ...EXTRA_DIRECTORIES,
  ];
  const found = [
    ...names.flatMap((name) => directories.map((directory) => join(directory, name))),
    ...places.flatMap(expand),
  ].filter(isExecutable);
  /** @type {Map<string, string>} */
  const byFile = new Map();
  for (const path of found) {
    const file = realpathSync(path);
    if (!byFile.has(file)) byFile.set(file, path);
  }
  return [...byFile.values()];
}

/**
 * The first of `findPrograms`.
 * @param {readonly string[]} names best first
 * @param {NodeJS.ProcessEnv} environment
 * @param {readonly string[]} [places]
 * @returns {string | null} an absolute path
 */
export const findProgram = (names, environment, places = []) => findPrograms(names, environment, places)[0] ?? null;
