/**
 * The settings of the supervisor, the facts about this machine, and the environments of the
 * services. Pure, except `lookAround`.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism, userInfo } from 'node:os';
import { Failure } from '../../bootstrap/failure.mjs';
import { tryPort } from './ports.ts';
import type { PostgresPrograms } from './postgres-setup.ts';
import type { Secrets } from './secrets.ts';

/** tools/start.mjs passes it as one JSON argument. */
export interface SupervisorSettings {
  gateways: number;
  port: number;
  /** '' for all interfaces. */
  host: string;
  dataDir: string;
  webRoot: string;
  /** Without `postgres` there is no archive. */
  programs: { node: string; redis: string; nginx: string; postgres: PostgresPrograms | null };
}

/** Facts about the machine that nginx is configured with. */
export interface Machine {
  ipv6: boolean;
  filesMax: number;
  workers: number;
  rootUser: string | null;
}

/**
 * With this many workers, nginx is never the bottleneck on a machine that also runs the gateways.
 */
const WORKERS_MAX = 4;
const FILES_WANTED = 65_536;

/** The hard limit on open files from `/proc/self/limits`. */
export function parseFilesMax(limits: string): number {
  const match = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(limits);
  return match === null || match[1] === 'unlimited' ? FILES_WANTED : Math.min(Number(match[1]), FILES_WANTED);
}

function filesMax(): number {
  try {
    return parseFilesMax(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux. This is the default of macOS.
    return 10_240;
  }
}

export async function lookAround(): Promise<Machine> {
  return {
    ipv6: (await tryPort(0, '::')) === null,
    filesMax: filesMax(),
    workers: Math.min(availableParallelism(), WORKERS_MAX),
    rootUser: process.getuid?.() === 0 ? userInfo().username : null,
  };
}

/** The address that users open. */
export function publicEndpoint(host: string, port: number): string {
  const name = ['', '0.0.0.0', '::', '127.0.0.1', '::1'].includes(host) ? 'localhost' : host;
  const authority = name.includes(':') ? `[${name}]` : name;
  return port === 80 ? `http://${authority}` : `http://${authority}:${port}`;
}

/** `MARU_REDIS_MAXMEMORY`, in the notation of Redis. */
export function redisMaxMemory(environment: NodeJS.ProcessEnv): string {
  const raw = environment.MARU_REDIS_MAXMEMORY || '512mb';
  if (!/^[1-9]\d{0,15}(b|k|kb|m|mb|g|gb)?$/i.test(raw))
    throw new Failure(`MARU_REDIS_MAXMEMORY must be a size such as 512mb, not "${raw}".`, { exitCode: 2 });
  return raw;
}

/** `MARU_EDGE_TRUSTED_PROXIES`, as in the image of the edge: addresses or networks. */
export function edgeTrustedProxies(environment: NodeJS.ProcessEnv): string[] {
  const networks = (environment.MARU_EDGE_TRUSTED_PROXIES ?? '').split(',').map((network) => network.trim());
  return networks.filter((network) => {
    const [address = '', bits = '0', ...rest] = network.split('/');
    if (network !== '' && (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || rest.length > 0))
      throw new Failure(`MARU_EDGE_TRUSTED_PROXIES must be a list of addresses or networks, not "${network}".`, {
        exitCode: 2,
      });
    return network !== '';
  });
}

/**
 * `MARU_EDGE_CONNECT_ORIGINS`, as in the image of the edge. Default: the origin of the OpenID
 * provider.
 */
export function edgeConnectOrigins({
  MARU_EDGE_CONNECT_ORIGINS: listed,
  MARU_OIDC_ISSUER: issuer,
}: NodeJS.ProcessEnv): string[] {
  // If the issuer is not a URL, the gateway reports that.
  if (!listed) return issuer && URL.canParse(issuer) ? [new URL(issuer).origin] : [];
  const origins = listed.split(',').map((origin) => origin.trim());
  return origins.filter((origin) => {
    if (origin !== '' && !/^https?:\/\/[a-z0-9.:[\]-]+$/.test(origin))
      throw new Failure(`MARU_EDGE_CONNECT_ORIGINS must be a list of origins, not "${origin}".`, { exitCode: 2 });
    return origin !== '';
  });
}

/** The services do not need the npm settings of the supervisor. */
function inherited(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(environment).filter(([name]) => !/^npm_/i.test(name));
  return { ...Object.fromEntries(entries), NODE_ENV: environment.NODE_ENV || 'production' };
}

/** Settings of the user override ours, except addresses. */
export function gatewayEnvironment(
  environment: NodeJS.ProcessEnv,
  made: { redisUrl: string; postgresUrl: string | null; presenceUrl: string; secrets: Secrets },
): NodeJS.ProcessEnv {
  const { MARU_POSTGRES_URL, ...rest } = inherited(environment);
  return {
    ...rest,
    MARU_REDIS_URL: made.redisUrl,
    ...(made.postgresUrl === null ? {} : { MARU_POSTGRES_URL: made.postgresUrl }),
    MARU_PRESENCE_URL: made.presenceUrl,
    // If a key set verifies the tokens, a generated secret would only be an additional key to the
    // cluster. With a directory, it signs the tokens.
    ...(environment.MARU_JWKS_URL && !environment.MARU_JWT_SECRET && !environment.MARU_LDAP_URLS
      ? {}
      : { MARU_JWT_SECRET: environment.MARU_JWT_SECRET || made.secrets.jwtSecret }),
    MARU_GUEST_SECRET: environment.MARU_GUEST_SECRET || made.secrets.guestSecret,
    MARU_INTERNAL_SECRET: environment.MARU_INTERNAL_SECRET || made.secrets.internalSecret,
    MARU_GUESTS: environment.MARU_GUESTS || 'on',
    // nginx, which overwrites the forwarding headers of clients.
    MARU_TRUSTED_PROXIES: '127.0.0.1',
  };
}

const DRAIN_WITHIN_MIN_MS = 60_000;
/** The time that a gateway needs in addition to its settings, to close connections in batches. */
const DRAIN_SLACK_MS = 40_000;

/**
 * The time after which a draining process is killed. It is longer than the settings of the gateway
 * allow.
 */
export function drainWithinMs(environment: NodeJS.ProcessEnv): number {
  const waitMs = Number(environment.MARU_DRAIN_WAIT_MS) || 0;
  const spreadMs = Number(environment.MARU_DRAIN_SPREAD_MAX_MS) || 0;
  return Math.max(DRAIN_WITHIN_MIN_MS, waitMs + spreadMs + DRAIN_SLACK_MS);
}

/** Only gateways use a directory. */
const withoutDirectory = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('MARU_LDAP_')));

/** Presence neither signs nor verifies tokens, so it does not get the keys. */
export function presenceEnvironment(
  environment: NodeJS.ProcessEnv,
  made: { redisUrl: string; secrets: Secrets },
): NodeJS.ProcessEnv {
  const { MARU_JWT_SECRET, MARU_GUEST_SECRET, MARU_POSTGRES_URL, ...rest } = inherited(environment);
  return {
    ...withoutDirectory(rest),
    MARU_REDIS_URL: made.redisUrl,
    MARU_INTERNAL_SECRET: environment.MARU_INTERNAL_SECRET || made.secrets.internalSecret,
  };
}

/** The archiver talks to Redis and PostgreSQL only. */
export function archiverEnvironment(
  environment: NodeJS.ProcessEnv,
  made: { redisUrl: string; postgresUrl: string },
): NodeJS.ProcessEnv {
  const { MARU_JWT_SECRET, MARU_GUEST_SECRET, MARU_INTERNAL_SECRET, ...rest } = inherited(environment);
  return { ...withoutDirectory(rest), MARU_REDIS_URL: made.redisUrl, MARU_POSTGRES_URL: made.postgresUrl };
}
