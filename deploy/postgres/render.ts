/**
 * Renders the configuration and the accounts of PostgreSQL from the files of this folder, which are
 * the only copies.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** A quoted value of the configuration. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The configuration for this machine only, with the settings of the environment replaced. */
export function renderPostgresConfig(options: { port: number; hbaPath: string }): string {
  const replaced = {
    listen_addresses: quoted('127.0.0.1'),
    port: String(options.port),
    hba_file: quoted(options.hbaPath),
  };
  let text = read('postgresql.conf');
  for (const [name, value] of Object.entries(replaced)) {
    const line = new RegExp(`^${name} = .*$`, 'm');
    if (!line.test(text)) throw new Error(`postgresql.conf does not set ${name}`);
    text = text.replace(line, () => `${name} = ${value}`);
  }
  return text;
}

export const renderPostgresHba = (): string => read('pg_hba.conf');

const ITERATIONS = 4_096;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** The form in which PostgreSQL stores a password (RFC 5803). It does not reveal the password. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(SALT_BYTES)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, 'sha256');
  const key = (name: string) => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${key('Server Key').toString('base64')}`;
}

/**
 * SQL for an administrator, for `postgres --single -j` or `psql`. It sets the passwords, and
 * creates missing accounts.
 */
export function renderPostgresAccounts(options: { adminVerifier: string; maruVerifier: string }): string {
  const { adminVerifier: ADMIN_VERIFIER, maruVerifier: MARU_VERIFIER } = options;
  const verifiers: Record<string, string> = { ADMIN_VERIFIER, MARU_VERIFIER };
  const accounts = read('accounts.sql')
    .replace(/^--.*\n/gm, '')
    .replace(/\{\{(\w+)\}\}/g, (_, name: string) => verifiers[name] ?? '');
  return `${accounts.trim()}\n\n`;
}

/** SQL for the first start, after the accounts: creates the database. */
export const renderPostgresDatabase = (): string => read('database.sql');
