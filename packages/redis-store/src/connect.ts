/** Connections to Redis (or Valkey) with explicit deadlines and nothing queued or sent twice behind the caller's back. */

import type { Logger } from '@maru/service-kit';
import { Redis, type RedisOptions } from 'ioredis';
import { parseRedisAddress } from './address.ts';

export interface RedisSettings {
  /** Of one server, with account and password. What `redis-address.ts` reads beyond that is no single connection (`redis-store.ts`). */
  url: string;
  /** A call that takes longer fails; whether the store did it is then unknown. Undefined: the caller keeps time itself. */
  deadlineMs: number | undefined;
}

/** Who opens a connection, for `CLIENT LIST` and the log. */
export interface RedisUser {
  purpose: string;
  node: string;
  logger: Logger;
}

const HANDSHAKE_MAX_MS = 2_000;

/** Opens a connection to one server; see `openConnection`. */
export function connectRedis(settings: RedisSettings, user: RedisUser): Redis {
  const address = parseRedisAddress(settings.url);
  if (!('url' in address)) throw new Error('Sentinels and a Cluster are no single connection');
  return openConnection(address.url, settings.deadlineMs, user);
}

/**
 * Opens a connection that reports itself as `purpose` in `CLIENT LIST`. It reconnects for ever, with jittered pauses of
 * at most a second. While it is down every command fails at once; a command that was under way when it broke fails
 * and is never sent again: only the caller knows whether that is safe.
 */
export function openConnection(
  where: string | Omit<RedisOptions, 'replyMapping'>,
  deadlineMs: number | undefined,
  user: RedisUser,
): Redis {
  const connection = {
    protocol: 2 as const,
    connectionName: `maru:${user.node}:${user.purpose}`,
    connectTimeout: 1_000,
    // Who disconnects has given up the other side: what it still answers must not count any more.
    disconnectTimeout: 0,
    ...(deadlineMs === undefined ? {} : { commandTimeout: deadlineMs }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Its promise would be nobody's to catch. Whoever subscribes does it again on `ready`.
    autoResubscribe: false,
    // With 0, commands under way fail as soon as the connection breaks, instead of waiting for their deadline.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 800) * (0.5 + Math.random() / 2),
    // A restarted Redis answers LOADING; asking again soon is cheaper than waiting for its own estimate.
    maxLoadingRetryTime: 500,
    // It was demoted: connecting again finds the new primary, where there is one. The command itself is not sent again.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  const redis = typeof where === 'string' ? new Redis(where, connection) : new Redis({ ...where, ...connection });
  let lastMessage = '';
  redis.on('error', (error) => {
    // The same refusal comes once a reconnect; one line says it.
    if (error.message === lastMessage) return;
    lastMessage = error.message;
    user.logger.warn({ purpose: user.purpose, reason: error.message }, 'redis connection failed');
  });
  // A handshake whose answer never comes has no deadline of its own.
  let handshake: NodeJS.Timeout | undefined;
  redis.on('connect', () => {
    handshake = setTimeout(() => redis.disconnect(true), HANDSHAKE_MAX_MS);
  });
  redis.on('close', () => clearTimeout(handshake));
  redis.on('ready', () => {
    clearTimeout(handshake);
    lastMessage = '';
    user.logger.info({ purpose: user.purpose }, 'redis connection ready');
  });
  return redis;
}

/** Resolves once the connection is usable, or after `waitMs`, whichever comes first; tells which. */
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
