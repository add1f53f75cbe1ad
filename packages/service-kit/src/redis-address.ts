/**
 * Where the store is, as one variable says it. Pure.
 *
 *     redis://[account:password@]host[:port][/db]                       one server; rediss:// with TLS
 *     redis+sentinel://[account:password@]host[:port],host[:port]/name  the primary called `name`, as these Sentinels know it;
 *                                                                      ?sentinelPassword=… where they want one
 */

const SENTINEL_PORT = 26_379;
const SENTINEL = /^(redis|rediss)\+sentinel:\/\/(?:([^:@/]*):([^@/]*)@)?([^/?]+)\/([^/?]+)(?:\?(.*))?$/;
const HOST = /^([\w.-]+)(?::(\d{1,5}))?$/;

/** What ioredis needs to find it. Throws an Error whose message completes the sentence "MARU_REDIS_URL …". */
export function parseRedisAddress(raw: string): { url: string } | { options: ReturnType<typeof sentinelOptions> } {
  const match = SENTINEL.exec(raw);
  if (match !== null) return { options: sentinelOptions(match) };
  const protocol = URL.canParse(raw) ? new URL(raw).protocol : '';
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new Error('must begin with redis://, rediss:// or redis+sentinel://');
  }
  return { url: raw };
}

function sentinelOptions(match: RegExpExecArray) {
  const [, scheme, account, password, hosts = '', name = '', query] = match;
  const sentinels = hosts.split(',').map((text) => {
    const [, host, port] = HOST.exec(text) ?? [];
    if (host === undefined) throw new Error('names a Sentinel that is no host:port');
    return { host, port: port === undefined ? SENTINEL_PORT : Number(port) };
  });
  const sentinelPassword = new URLSearchParams(query).get('sentinelPassword');
  return {
    sentinels,
    name: decodeURIComponent(name),
    ...(account ? { username: decodeURIComponent(account) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(scheme === 'rediss' ? { tls: {}, enableTLSForSentinelMode: true } : {}),
    // Jittered and short: a failover is over in seconds, and everybody waits for it.
    sentinelRetryStrategy: (attempt: number) => Math.min(50 * attempt, 500) * (0.5 + Math.random() / 2),
  };
}

/** For a configuration field: the address as it was given, once it is known to be one. */
export const asRedisAddress = (raw: string): string => {
  parseRedisAddress(raw);
  return raw;
};
