/** Finds the PostgreSQL programs, and the user that may run them. */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian and Red Hat keep the server's programs here, outside the PATH. */
const PARENTS = ['/usr/lib/postgresql', '/usr', '/opt/homebrew/opt', '/usr/local/opt'];

export interface PostgresPrograms {
  initdb: string;
  postgres: string;
}

/** @throws if a program is missing */
export function findPostgresPrograms(path = process.env.PATH ?? ''): PostgresPrograms {
  for (const directory of [...path.split(delimiter), ...installed()]) {
    const found = { initdb: join(directory, 'initdb'), postgres: join(directory, 'postgres') };
    if (isExecutable(found.initdb) && isExecutable(found.postgres)) return found;
  }
  throw new Error('These tests need the programs initdb and postgres of PostgreSQL');
}

/** Newest version first. */
function installed(): string[] {
  const found = PARENTS.flatMap((parent) =>
    namesIn(parent)
      .map((name) => ({ version: Number.parseFloat(/^(?:pgsql-|postgresql@)?(\d+)$/.exec(name)?.[1] ?? '0'), name }))
      .filter(({ version }) => version > 0)
      .map(({ version, name }) => ({ version, directory: join(parent, name, 'bin') })),
  );
  return found.sort((a, b) => b.version - a.version).map(({ directory }) => directory);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Account {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root. Undefined: run as the user of this process. */
export function accountForPostgres(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('These tests run as root, so PostgreSQL needs a user `postgres` or `nobody`');
}
