/**
 * Creates the secrets of a cluster in two directories that containers share: `services/` for
 * gateways and presence, `redis/` for Redis. Existing secrets stay, so a second run changes
 * nothing. `--show` prints the credentials of the administrator.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderRedisAcl } from '../redis/render.ts';

const DIRECTORY = process.env.MARU_SECRETS_DIR ?? '/run/maru';
const REDIS = process.env.MARU_REDIS_HOST ?? 'redis:6379';
/** 256 bits, the full key length of HS256. */
const SECRET_BYTES = 32;
/** For the owner only: the services run as the user that creates the secrets. */
const PRIVATE = 0o400;
/** Redis runs as another user. The file contains only hashes of long random passwords. */
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

for (const folder of ['services', 'redis']) mkdirSync(pathOf(folder), { recursive: true });
for (const name of ['internal-secret', 'jwt-secret', 'guest-secret']) makeOnce(`services/${name}`, random);
const serviceUrl = makeOnce('services/redis-url', () => `redis://maru:${random()}@${REDIS}`);
const adminUrl = makeOnce('redis/admin-url', () => `redis://admin:${random()}@${REDIS}`);
const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);
const accounts = renderRedisAcl({
  adminPassword: passwordOf(adminUrl),
  maruPassword: passwordOf(serviceUrl),
  health: true,
});
write('redis/users.acl', accounts.trim(), READABLE);

if (process.argv.includes('--show')) {
  console.log(`Redis, with all rights: ${adminUrl}\nSigns tokens (HS256):   ${read('services/jwt-secret')}`);
}
