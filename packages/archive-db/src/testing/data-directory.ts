/**
 * Data directories for test servers. `initdb` runs once for each version and user of a machine.
 * Its result is a template, and each server gets a copy.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, lstatSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, accountForPostgres, type PostgresPrograms } from './programs.ts';

const run = promisify(execFile);

/** The template is kept after a test run, so it is not in the run's folder. */
const TEMPLATES_PARENT = '/tmp';
/** Change it when the template's content changes. */
const TEMPLATE_FORMAT = 1;
export const DATABASE = 'maru';
export const SUPERUSER = 'maru';

/** Returns a new data directory with an empty database. The caller removes it. */
export async function createDataDirectory(programs: PostgresPrograms): Promise<string> {
  const account = accountForPostgres();
  const directory = await makeFolder(parentFor(account), account);
  const template = await findTemplate(programs, account);
  const data = join(directory, 'data');
  await run('cp', ['-a', template, data]);
  return directory;
}

/** The folder for temporary files, if PostgreSQL's user may enter it. */
function parentFor(account: Account | undefined): string {
  if (account === undefined) return tmpdir();
  const found = [tmpdir(), '/dev/shm', '/tmp'].find(mayEnter);
  if (found === undefined) throw new Error('no folder for temporary files that every user may enter');
  return found;
}

function mayEnter(folder: string): boolean {
  try {
    for (let path = folder; ; path = dirname(path)) {
      if ((statSync(path).mode & 0o001) === 0) return false;
      if (path === dirname(path)) return true;
    }
  } catch {
    return false;
  }
}

async function makeFolder(parent: string, account: Account | undefined): Promise<string> {
  const folder = await mkdtemp(join(parent, 'maru-postgres-'));
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  return folder;
}

async function findTemplate(programs: PostgresPrograms, account: Account | undefined): Promise<string> {
  const { stdout } = await run(programs.postgres, ['--version']);
  const version = stdout.trim().replaceAll(/[^\w.]+/g, '-');
  const uid = account?.uid ?? process.getuid?.() ?? 0;
  const template = join(TEMPLATES_PARENT, `maru-template-${TEMPLATE_FORMAT}-${uid}-${version}`);
  if (isOwnedBy(template, uid)) return template;
  const folder = await makeFolder(TEMPLATES_PARENT, account);
  try {
    const data = join(folder, randomUUID());
    await initialise(programs, data, account);
    // Another process may have created the template first. It is equivalent.
    await rename(data, template).catch(() => undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (isOwnedBy(template, uid)) return template;
  throw new Error(`${template} belongs to another user`);
}

function isOwnedBy(path: string, uid: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid;
}

async function initialise({ initdb, postgres }: PostgresPrograms, data: string, account: Account | undefined) {
  const options = { ...account, cwd: dirname(data), env: { PATH: process.env.PATH, TZ: 'UTC' } };
  const flags = ['--encoding=UTF8', '--locale=C.UTF-8', '--auth=trust', `--username=${SUPERUSER}`];
  await run(initdb, [`--pgdata=${data}`, ...flags, '--no-sync', '--wal-segsize=4', '--no-instructions'], options);
  const created = run(postgres, ['--single', '-D', data, 'postgres'], options);
  created.child.stdin?.end(`CREATE DATABASE ${DATABASE}\n`);
  const { stderr } = await created;
  if (/\b(ERROR|FATAL)\b/.test(stderr)) throw new Error(`cannot create the database: ${stderr}`);
  const settings = join(data, 'postgresql.conf');
  await writeFile(settings, `${await readFile(settings, 'utf8')}\nlog_timezone = 'UTC'\ntimezone = 'UTC'\n`);
}
