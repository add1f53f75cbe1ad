/** Finds executables. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** On Debian, the PATH of an ordinary user does not include servers. */
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
 * Finds an executable on the PATH, or else in the usual folders for servers.
 * @param {readonly string[]} names best first
 * @param {NodeJS.ProcessEnv} environment
 * @param {readonly string[]} [places]
 * @returns {string | null} an absolute path
 */
export function findProgram(names, environment, places = []) {
  const directories = [
    ...(environment.PATH ?? '').split(delimiter).filter((d) => d.startsWith('/')),
    ...EXTRA_DIRECTORIES,
  ];
  for (const name of names) {
    for (const directory of directories) {
      if (isExecutable(join(directory, name))) return join(directory, name);
    }
  }
  return places.find(isExecutable) ?? null;
}
