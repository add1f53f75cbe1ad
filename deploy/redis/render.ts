/**
 * Renders the configuration and the accounts of Redis from the files of this folder, which are the
 * only copies.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Redis reads quoted words with C escapes. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

const hashOf = (password: string): string => `#${createHash('sha256').update(password).digest('hex')}`;

/** The configuration for this machine only, with the settings of the environment replaced. */
export function renderRedisConfig(options: {
  port: number;
  directory: string;
  aclPath: string;
  /** As Redis writes it: `512mb`. */
  maxMemory: string;
}): string {
  const replaced = {
    bind: '127.0.0.1',
    port: String(options.port),
    dir: quoted(options.directory),
    aclfile: quoted(options.aclPath),
    maxmemory: options.maxMemory,
  };
  let text = read('redis.conf');
  for (const [name, value] of Object.entries(replaced)) {
    const line = new RegExp(`^${name} .*$`, 'm');
    if (!line.test(text)) throw new Error(`redis.conf does not set ${name}`);
    text = text.replace(line, () => `${name} ${value}`);
  }
  return text;
}

/** The accounts. `health` is an account for the health check of a container. */
export function renderRedisAcl(options: {
  adminPassword: string;
  maruPassword: string;
  /** Without it there is no account for archivers. */
  archiverPassword?: string;
  health?: boolean;
}): string {
  const hashes: Record<string, string> = {
    ADMIN_PASSWORD_HASH: hashOf(options.adminPassword),
    MARU_PASSWORD_HASH: hashOf(options.maruPassword),
    ARCHIVER_PASSWORD_HASH: hashOf(options.archiverPassword ?? ''),
  };
  const leftOut = [
    ...(options.health === true ? [] : ['user health ']),
    ...(options.archiverPassword === undefined ? ['user archiver '] : []),
  ];
  const accounts = read('users.acl')
    .split('\n')
    .filter((line) => line.startsWith('user ') && !leftOut.some((account) => line.startsWith(account)))
    .map((line) => line.replace(/\{\{(\w+)\}\}/g, (_, name: string) => hashes[name] ?? ''));
  return `${accounts.join('\n')}\n`;
}
