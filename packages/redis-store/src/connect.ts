/** Connections to Redis or Valkey with explicit deadlines. They never queue or repeat a command. */

import type { Logger } from '@maru/service-kit';
import { Redis, type RedisOptions } from 'ioredis';
import { parseRedisAddress } from './address.ts';
import { Watchdog } from './watchdog.ts';

export interface RedisSettings {
  /** The URL of one server, with account and password. */
  url: string;
  /**
   * A call that takes longer fails. Whether it took effect is then unknown. Undefined: the caller
   * limits the time itself.
   */
  deadlineMs: number | undefined;
}

/** The user of a connection, for `CLIENT LIST` and the log. */
export interface RedisUser {
  purpose: string;
  node: string;
  logger: Logger;
}

/** Opens a connection to one server. See `openConnection`. */
export function connectRedis(settings: RedisSettings, user: RedisUser): Redis {
  const address = parseRedisAddress(settings.url);
  if (!('url' in address)) throw new Error('Sentinels or a Cluster need more than one connection');
  return openConnection(address.url, settings.deadlineMs, user, new Watchdog(user));
}

/**
 * Opens a connection that reports itself as `purpose` in `CLIENT LIST`. It reconnects forever, with
 * jittered pauses of at most a second. While it is down every command fails at once. A command in
 * flight fails when the connection breaks, and is never repeated: only the caller knows whether
 * that is safe. The watchdog closes it when it goes silent.
 */
export function openConnection(
  where: string | Omit<RedisOptions, 'replyMapping'>,
  deadlineMs: number | undefined,
  user: RedisUser,
  watchdog: Watchdog,
): Redis {
  const connection = {
    protocol: 2 as const,
    connectionName: `maru:${user.node}:${user.purpose}`,
    connectTimeout: 1_000,
    // Answers after a disconnect must not count.
    disconnectTimeout: 0,
    ...(deadlineMs === undefined ? {} : { commandTimeout: deadlineMs }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // The promise of an automatic resubscription could not be caught. Subscribers subscribe again
    // on `ready`.
    autoResubscribe: false,
    // With 0, commands in flight fail when the connection breaks, and do not wait for their
    // deadline.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 800) * (0.5 + Math.random() / 2),
    // A restarting Redis answers LOADING. Retry sooner than its own estimate suggests.
    maxLoadingRetryTime: 500,
    // The server was demoted. A new connection finds the new primary. The command is not repeated.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  const redis = typeof where === 'string' ? new Redis(where, connection) : new Redis({ ...where, ...connection });
  let lastMessage = '';
  redis.on('error', (error) => {
    // Every reconnect fails for the same reason. Log it once.
    if (error.message === lastMessage) return;
    lastMessage = error.message;
    user.logger.warn({ purpose: user.purpose, reason: error.message }, 'redis connection failed');
  });
  redis.on('ready', () => {
    lastMessage = '';
    user.logger.info({ purpose: user.purpose }, 'redis connection ready');
  });
  watchdog.watch(redis, user.purpose);
  return redis;
}

/** Resolves with true when the connection is usable, or with false after `waitMs`. */
export async function waitUntilReady(redis: Redis, waitMs: number): Promise<boolean> {
  if (redis.status === 'ready') return true;
  return new Promise((resolve) => {
    const done = (ready: boolean) => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      resolve(ready);
    };
    const onReady = () => done(true);
    const timer = setTimeout(() => done(false), waitMs);
    redis.once('ready', onReady);
  });
}
