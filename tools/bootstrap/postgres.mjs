/** Finds or installs the PostgreSQL that can open the archive of a data directory. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from './failure.mjs';
import { findPrograms } from './find-program.mjs';
import { ensureProgram, PROGRAMS } from './programs.mjs';

/** @typedef {import('./terminal.mjs').Reporter} Reporter */

export const POSTGRES_MAJOR_MIN = 14;

/** @param {string} dataDir of the cluster */
export const postgresDirectory = (dataDir) => join(dataDir, 'postgres');

/**
 * The major version from the output of `postgres --version`, or null.
 * @param {string} text
 */
export function postgresMajor(text) {
  const match = /PostgreSQL\) (\d+)/.exec(text);
  return match === null ? null : Number(match[1]);
}

/** @param {string} file */
const majorOf = (file) =>
  postgresMajor(spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 }).stdout ?? '');

/**
 * The major version that wrote the archive. Null if there is no archive yet.
 * @param {string} dataDir of the cluster
 */
function writtenBy(dataDir) {
  try {
    return Number.parseInt(readFileSync(join(postgresDirectory(dataDir), 'PG_VERSION'), 'utf8'), 10);
  } catch {
    return null;
  }
}

const WITHOUT = 'Or start without the archive: npm start -- --no-archive';

/**
 * Chooses among the installed programs. Pure.
 * @param {Array<{file: string, major: number | null}>} installed best first
 * @param {{wanted: number | null, directory: string}} archive `wanted` is the version that wrote it
 * @returns {string} the program's path
 * @throws {Failure} if none can open the archive
 */
export function choosePostgres(installed, { wanted, directory }) {
  const recent = installed.filter(({ major }) => major !== null && major >= POSTGRES_MAJOR_MIN);
  const chosen = recent.find(({ major }) => wanted === null || major === wanted);
  if (chosen !== undefined) return chosen.file;
  const have = installed.map(({ file, major }) => `${major ?? 'unknown'} (${file})`).join(', ');
  if (wanted === null)
    throw new Failure(
      `PostgreSQL ${POSTGRES_MAJOR_MIN} or newer is needed for the archive; found ${have}.\n${WITHOUT}`,
    );
  throw new Failure(
    `PostgreSQL ${wanted} wrote the archive in ${directory}. Found ${have}, which cannot open it.\n` +
      `Install PostgreSQL ${wanted} beside it, or move the archive: docs/archive.md, "Another version of PostgreSQL".\n` +
      WITHOUT,
  );
}

/**
 * Finds PostgreSQL, or installs it if there is none and we may.
 * @param {{reporter: Reporter, environment: NodeJS.ProcessEnv, dataDir: string}} options `dataDir`
 *   is that of the cluster
 * @returns {Promise<{file: string, initdb: string}>} absolute paths
 * @throws {Failure} with what to do
 */
export async function ensurePostgres({ reporter, environment, dataDir }) {
  const { names, places } = PROGRAMS.postgres;
  const find = () => findPrograms(names, environment, places).map((file) => ({ file, major: majorOf(file) }));
  if (find().length === 0) {
    try {
      await ensureProgram('postgres', { reporter, environment });
    } catch (error) {
      throw error instanceof Failure ? new Failure(`${error.message}\n${WITHOUT}`, { cause: error }) : error;
    }
  }
  const file = choosePostgres(find(), { wanted: writtenBy(dataDir), directory: postgresDirectory(dataDir) });
  const initdb = join(dirname(realpathSync(file)), 'initdb');
  if (!existsSync(initdb)) throw new Failure(`initdb is missing beside ${realpathSync(file)}.\n${WITHOUT}`);
  return { file, initdb };
}
