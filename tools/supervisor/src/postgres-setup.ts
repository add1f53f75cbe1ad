/** Creates the data directory of PostgreSQL, and sets the passwords of its accounts. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { renderPostgresAccounts, renderPostgresDatabase, scramVerifier } from '../../../deploy/postgres/render.ts';
import { Failure } from '../../bootstrap/failure.mjs';
import { waitUntilUnused } from './postgres-leftovers.ts';
import type { Secrets } from './secrets.ts';
import { pathFor, spawnAs } from './spawn-command.ts';
import { type Account, ownDirectory, writeOwned } from './unprivileged.ts';

export interface PostgresPrograms {
  file: string;
  initdb: string;
}

interface Options {
  programs: PostgresPrograms;
  /** Absolute. Created if it is missing. */
  directory: string;
  account: Account | null;
  secrets: Secrets;
  /** Kills the work. */
  signal: AbortSignal;
}

/** Text is compared by its bytes, so updates of the system's locales do not change the order. */
const INITDB_ARGS = ['--username=admin', '--encoding=UTF8', '--locale=C', '--data-checksums', '--auth=reject'];
const OUTPUT_CHARS_MAX = 4_000;
/** Stored with the data, so that a restored copy gets the passwords of its new owner. */
const MARK = 'maru-accounts';

/** Changes with the passwords but does not reveal them, because they are random. */
const markOf = ({ postgresAdminPassword, postgresMaruPassword }: Secrets): string =>
  createHash('sha256').update(`${postgresAdminPassword}\n${postgresMaruPassword}`).digest('hex');

/** Runs a program of PostgreSQL in the directory, which it sees as `path`. */
async function runIn(
  { account, signal }: Options,
  directory: string,
  input: string,
  command: (path: string) => { file: string; args: readonly string[] },
): Promise<void> {
  const { file, args } = command(pathFor(account, directory));
  const as = account === null ? undefined : { account, directory };
  const { options, close } = spawnAs(as, ['pipe', 'pipe', 'pipe']);
  const child = spawn(file, args, {
    cwd: directory,
    env: { PATH: process.env.PATH, LANG: 'C' },
    signal,
    killSignal: 'SIGKILL',
    ...options,
  });
  close();
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
    });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (exitCode, name) => resolve(exitCode ?? name ?? ''));
  });
  // `postgres --single` continues after an SQL error, and exits with 0.
  if (code !== 0 || /^.*\b(ERROR|FATAL|PANIC): /m.test(output))
    throw new Failure(`${basename(file)} failed (${code}):\n${output.trim().split('\n').slice(-8).join('\n')}`);
}

async function setAccounts(options: Options, directory: string, createDatabase: boolean): Promise<void> {
  const { postgresAdminPassword, postgresMaruPassword } = options.secrets;
  const accounts = renderPostgresAccounts({
    adminVerifier: scramVerifier(postgresAdminPassword),
    maruVerifier: scramVerifier(postgresMaruPassword),
  });
  const sql = accounts + (createDatabase ? renderPostgresDatabase() : '');
  // Single-user mode asks for no password. Its configuration is the one of initdb or of the last
  // run.
  await runIn(options, directory, sql, (path) => ({
    file: options.programs.file,
    args: ['--single', '-j', '-D', path, '-c', 'log_min_error_statement=panic', 'template1'],
  }));
  writeOwned(join(directory, MARK), markOf(options.secrets), options.account);
}

function isCurrent({ directory, secrets }: Options): boolean {
  try {
    return readFileSync(join(directory, MARK), 'utf8') === markOf(secrets);
  } catch {
    return false;
  }
}

/**
 * Call it before PostgreSQL starts. A directory becomes visible under its name when it is complete.
 * @throws Failure with what to do
 */
export async function setUpPostgres(options: Options): Promise<void> {
  const { directory, account } = options;
  if (existsSync(join(directory, 'PG_VERSION'))) {
    ownDirectory(directory, account, 'PG_VERSION');
    if (isCurrent(options)) return;
    await waitUntilUnused(directory);
    await setAccounts(options, directory, false);
    return;
  }
  const draft = join(dirname(directory), `${basename(directory)}.new`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  ownDirectory(draft, account, 'PG_VERSION');
  await runIn(options, draft, '', (path) => ({ file: options.programs.initdb, args: ['-D', path, ...INITDB_ARGS] }));
  await setAccounts(options, draft, true);
  try {
    renameSync(draft, directory);
  } catch (error) {
    throw new Failure(`${directory} has files, but no archive of PostgreSQL. Move them away.`, { cause: error });
  }
}
