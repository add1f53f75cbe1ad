/**
 * The address of Redis, as one setting. Pure.
 *
 *     redis://[account:password@]host[:port][/db]
 *       One server.
 *     redis+sentinel://[account:password@]host[:port],host[:port]/name[?sentinelPassword=…]
 *       The primary that these Sentinels know as `name`.
 *     redis+cluster://[account:password@]host[:port],host[:port]
 *       A Cluster, found through any of these nodes.
 *
 * `rediss`, `rediss+sentinel` and `rediss+cluster` use TLS for every connection.
 */

const SENTINEL_PORT = 26_379;
const REDIS_PORT = 6_379;
const SENTINEL = /^(redis|rediss)\+sentinel:\/\/(?:([^:@/]*):([^@/]*)@)?([^/?]+)\/([^/?]+)(?:\?(.*))?$/;
const CLUSTER = /^(redis|rediss)\+cluster:\/\/(?:([^:@/]*):([^@/]*)@)?([^/?]+)\/?$/;
const HOST = /^([\w.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i;

export interface HostAndPort {
  host: string;
  port: number;
}

/** Credentials for all servers of one kind. */
export interface Login {
  username?: string;
  password?: string;
  tls?: Record<string, never>;
}

export type RedisAddress =
  | { url: string }
  | { sentinel: { sentinels: HostAndPort[]; name: string; login: Login; sentinelLogin: Login } }
  | { cluster: { seeds: HostAndPort[]; login: Login } };

/** On failure throws an Error whose message completes the sentence "MARU_REDIS_URL …". */
export function parseRedisAddress(raw: string): RedisAddress {
  const sentinel = SENTINEL.exec(raw);
  if (sentinel !== null) {
    const [, scheme, account, password, hosts = '', name = '', query] = sentinel;
    const sentinelPassword = new URLSearchParams(query).get('sentinelPassword');
    return {
      sentinel: {
        sentinels: hostsOf(hosts, SENTINEL_PORT, 'a Sentinel'),
        name: decodeURIComponent(name),
        login: loginOf(scheme, account, password),
        sentinelLogin: { ...loginOf(scheme), ...(sentinelPassword === null ? {} : { password: sentinelPassword }) },
      },
    };
  }
  const cluster = CLUSTER.exec(raw);
  if (cluster !== null) {
    const [, scheme, account, password, hosts = ''] = cluster;
    return { cluster: { seeds: hostsOf(hosts, REDIS_PORT, 'a node'), login: loginOf(scheme, account, password) } };
  }
  const protocol = URL.canParse(raw) ? new URL(raw).protocol : '';
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new Error('must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://');
  }
  return { url: raw };
}

const hostsOf = (hosts: string, defaultPort: number, what: string): HostAndPort[] =>
  hosts.split(',').map((text) => {
    const parsed = parseHost(text, defaultPort);
    if (parsed === undefined) throw new Error(`names ${what} that is not host:port`);
    return parsed;
  });

/** `host:port`, or `[address]:port` for IPv6. */
export function parseHost(text: string, defaultPort: number): HostAndPort | undefined {
  const [, host, port] = HOST.exec(text) ?? [];
  if (host === undefined) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : Number(port) };
}

const loginOf = (scheme: string | undefined, account?: string, password?: string): Login => ({
  ...(account ? { username: decodeURIComponent(account) } : {}),
  ...(password ? { password: decodeURIComponent(password) } : {}),
  ...(scheme === 'rediss' ? { tls: {} } : {}),
});

/** Validates a configuration field. Returns it unchanged. */
export const asRedisAddress = (raw: string): string => {
  parseRedisAddress(raw);
  return raw;
};
