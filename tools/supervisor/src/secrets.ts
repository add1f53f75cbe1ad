/** The passwords and keys of one data directory, generated at its first start. */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, Failure } from '../../bootstrap/failure.mjs';

const NAMES = [
  'redisAdminPassword',
  'redisMaruPassword',
  'redisArchiverPassword',
  'postgresAdminPassword',
  'postgresMaruPassword',
  'jwtSecret',
  'guestSecret',
  'internalSecret',
] as const;

export type Secrets = Record<(typeof NAMES)[number], string>;

/** 256 bits, in characters that URLs and configuration files need not escape. */
const newSecret = (): string => randomBytes(32).toString('base64url');

/**
 * The stored secrets, with new ones for those that are missing.
 * @throws if `text` is not an object
 */
export function completeSecrets(text: string | null, make: () => string = newSecret): Secrets {
  const stored: unknown = text === null ? {} : JSON.parse(text);
  if (typeof stored !== 'object' || stored === null) throw new Error('not an object');
  const known = stored as Record<string, unknown>;
  const entries = NAMES.map((name) => {
    const value = known[name];
    return [name, typeof value === 'string' && /^[\w-]{32,}$/.test(value) ? value : make()];
  });
  return Object.fromEntries(entries) as Secrets;
}

/** Reads `secrets.json` (mode 600). If it is missing or incomplete, writes it. */
export function loadSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json');
  let text: string | null = null;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  let secrets: Secrets;
  try {
    secrets = completeSecrets(text);
  } catch (error) {
    // Do not overwrite the file: it may still contain the keys with which tokens of users were
    // signed.
    throw new Failure(
      `${path} cannot be read as JSON. Repair it, or remove it: then all existing tokens become invalid.`,
      {
        cause: error,
      },
    );
  }
  writeFileSync(`${path}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return secrets;
}
