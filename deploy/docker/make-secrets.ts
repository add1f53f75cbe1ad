/**
 * Creates the secrets of a cluster in three directories that containers share: `services/` for the
 * services, `redis/` for Redis, `postgres/` for PostgreSQL. Existing secrets stay, so a second run
 * changes nothing. `--show` prints the credentials of the administrators.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderPostgresAccounts, scramVerifier } from '../postgres/render.ts';
import { renderRedisAcl } from '../redis/render.ts';

const DIRECTORY = process.env.MARU_SECRETS_DIR ?? '/run/maru';
const REDIS = process.env.MARU_REDIS_HOST ?? 'redis:6379';
const POSTGRES = process.env.MARU_POSTGRES_HOST ?? 'postgres:5432';
/** 256 bits, the full key length of HS256. */
const SECRET_BYTES = 32;
/** Readable only for the owner: the services run as the user that creates the secrets. */
const PRIVATE = 0o400;
/**
 * Redis and PostgreSQL run as other users. The files contain only hashes of long random passwords.
 */
const READABLE = 0o444;

const pathOf = (name: string) => join(DIRECTORY, name);
const read = (name: string) => readFileSync(pathOf(name), 'utf8').trim();

/** Atomic, so that the next run repairs an interrupted one. */
function write(name: string, text: string, mode: number): void {
  const path = pathOf(name);
  writeFileSync(`${path}.new`, `${text}\n`, { mode });
  renameSync(`${path}.new`, path);
}

function makeOnce(name: string, make: () => string): string {
  if (!existsSync(pathOf(name))) write(name, make(), PRIVATE);
  return read(name);
}

const random = () => randomBytes(SECRET_BYTES).toString('base64url');

for (const folder of ['services', 'redis', 'postgres']) mkdirSync(pathOf(folder), { recursive: true });
for (const name of ['internal-secret', 'jwt-secret', 'guest-secret']) makeOnce(`services/${name}`, random);
const serviceUrl = makeOnce('services/redis-url', () => `redis://maru:${random()}@${REDIS}`);
const adminUrl = makeOnce('redis/admin-url', () => `redis://admin:${random()}@${REDIS}`);
const archiverUrl = makeOnce('services/archiver-redis-url', () => `redis://archiver:${random()}@${REDIS}`);
const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);
const accounts = renderRedisAcl({
  adminPassword: passwordOf(adminUrl),
  maruPassword: passwordOf(serviceUrl),
  archiverPassword: passwordOf(archiverUrl),
  health: true,
});
write('redis/users.acl', accounts.trim(), READABLE);

const postgresUrl = makeOnce('services/postgres-url', () => `postgres://maru:${random()}@${POSTGRES}/maru`);
const postgresAdminUrl = makeOnce('postgres/admin-url', () => `postgres://admin:${random()}@${POSTGRES}/maru`);
const sql = renderPostgresAccounts({
  adminVerifier: scramVerifier(passwordOf(postgresAdminUrl)),
  maruVerifier: scramVerifier(passwordOf(postgresUrl)),
});
write('postgres/accounts.sql', sql, READABLE);

if (process.argv.includes('--show')) {
  console.log(
    `Redis, with all rights:      ${adminUrl}\n` +
      `PostgreSQL, with all rights: ${postgresAdminUrl}\n` +
      `Signs tokens (HS256):        ${read('services/jwt-secret')}`,
  );
}
