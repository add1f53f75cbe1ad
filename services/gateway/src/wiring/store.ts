/** The gateway's side of the store: connections, health, the subscriber, and what is kept there. */
import type { Logger } from '@maru/service-kit';
import { openConnections } from '../cluster/connections.ts';
import { createStoreHealth } from '../cluster/store-health.ts';
import { createSubscriber } from '../cluster/subscriber.ts';
import type { GatewayConfig } from '../config.ts';
import { writeProbeKey } from '../keys.ts';
import { createUserQuota } from '../limits/user-quota.ts';
import { createRedisRoomLog } from '../messages/redis-room-log.ts';
import { createSeenPositions } from '../messages/seen-positions.ts';
import { createRoomDirectory } from '../rooms/room-directory.ts';

/** The store is asked, and the subscriber heard, so often; so long a silence counts as a lost connection. */
const BEAT_MS = 500;
const SILENCE_MAX_MS = 1_500;
/** Positions that this node remembers, and user tokens that it leases at once and for how long. */
const SEEN_ROOMS_MAX = 100_000;
const LEASE_TOKENS = 10;
const LEASE_MS = 5_000;

export type Store = ReturnType<typeof createStore>;

export function createStore(options: {
  config: GatewayConfig;
  logger: Logger;
  /** An announcement came that could not be handled: malformed or forged. */
  onMalformed: () => void;
  now: () => number;
}) {
  const { config, logger, now } = options;
  const { node } = config;
  const redis = openConnections({ url: config.redisUrl, deadlineMs: config.storeDeadlineMs, node, logger });

  const health = createStoreHealth({
    redis: redis.control,
    probeKey: writeProbeKey(node),
    canAppend: () => redis.append.status === 'ready',
    beatMs: BEAT_MS,
    logger,
    localNow: () => Date.now(),
  });
  const subscriber = createSubscriber({
    node,
    redis: redis.subscribe,
    publish: (channel, payload) => redis.control.spublish(channel, payload),
    heartbeatMs: BEAT_MS,
    silenceMaxMs: SILENCE_MAX_MS,
    logger,
    onHandlerError: (error) => {
      options.onMalformed();
      logger.warn({ err: error }, 'an announcement could not be handled');
    },
    now,
  });

  const seen = createSeenPositions({ roomsMax: SEEN_ROOMS_MAX });
  const log = createRedisRoomLog({
    appendRedis: redis.append,
    readRedis: redis.read,
    seen,
    retention: {
      entriesMin: config.retentionEntriesMin,
      entriesMax: config.retentionEntriesMax,
      ageMs: config.retentionAgeMs,
      emptyRoomTtlMs: config.emptyRoomTtlMs,
    },
    deadlineMs: config.storeDeadlineMs,
    waitReplicas: config.waitReplicas,
    onRefused: health.noteRefusal,
    now,
  });
  const directory = createRoomDirectory({ redis: redis.read });
  const quota = createUserQuota({
    redis: redis.control,
    spec: { perSecond: config.userMessagesPerSecond, burst: config.userMessagesBurst },
    blockTokens: LEASE_TOKENS,
    leaseMs: LEASE_MS,
    now,
  });

  return { redis, health, subscriber, seen, log, directory, quota };
}
