/** The gateway's side of the store: connections, health, the subscriber, and what is kept there. */
import { gatherWrites, type RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { openConnections } from '../cluster/connections.ts';
import { createStoreHealth } from '../cluster/store-health.ts';
import { createTicker } from '../cluster/ticker.ts';
import type { GatewayConfig } from '../config.ts';
import { createSubscriber } from '../delivery/subscriber.ts';
import { createUserQuota } from '../limits/user-quota.ts';
import { createRedisRoomLog } from '../log/redis-room-log.ts';
import type { AppendRequest } from '../log/room-log.ts';
import { createSeenPositions } from '../log/seen-positions.ts';
import { createRoomDirectory } from '../rooms/directory.ts';

/** The store is asked, and the subscriber heard, so often; so long a silence counts as a lost connection. */
const BEAT_MS = 500;
const SILENCE_MAX_MS = 1_500;
/**
 * Positions that this node remembers, and for how long it holds tokens of a user: longer than people pause in a conversation, so that most
 * messages find one here. How many it holds is bounded by `leaseSize`, however long.
 */
const SEEN_ROOMS_MAX = 100_000;
const LEASE_MS = 10 * 60_000;

export type Store = ReturnType<typeof createStore>;

export function createStore(options: {
  config: GatewayConfig;
  logger: Logger;
  /** An announcement came that could not be handled: malformed or forged. */
  onMalformed: () => void;
  /** These messages are about to share a round trip. */
  onBatch: (appends: ReadonlyArray<{ request: AppendRequest }>) => void;
  now: () => number;
}) {
  const { config, logger, now } = options;
  const { node } = config;
  const { connections, close } = openConnections({
    url: config.redisUrl,
    deadlineMs: config.storeDeadlineMs,
    node,
    logger,
  });

  const beat = createTicker({ periodMs: BEAT_MS, logger, now });
  const health = createStoreHealth({
    store: connections.control,
    node,
    canAppend: () => connections.append.ready,
    waitReplicas: config.waitReplicas,
    beatMs: BEAT_MS,
    logger,
    localNow: () => Date.now(),
  });
  const subscribe = (purpose: string, store: RedisStore) =>
    createSubscriber({
      node,
      purpose,
      store,
      publish(channel, payload) {
        gatherWrites(connections.control.shardOf(channel));
        return connections.control.at(channel, (redis) => redis.spublish(channel, payload));
      },
      heartbeatMs: BEAT_MS,
      silenceMaxMs: SILENCE_MAX_MS,
      logger,
      onHandlerError: (error) => {
        options.onMalformed();
        logger.warn({ err: error }, 'an announcement could not be handled');
      },
      now,
    });
  const subscriber = subscribe('rooms', connections.subscribe);
  const signals = subscribe('signals', connections.signalsSub);

  const seen = createSeenPositions({ roomsMax: SEEN_ROOMS_MAX });
  const log = createRedisRoomLog({
    appendStore: connections.append,
    readStore: connections.read,
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
    onBatch: options.onBatch,
    now,
  });
  const directory = createRoomDirectory({
    store: connections.read,
    onUnlisted: (error) => logger.warn({ err: error }, 'a room could not be listed'),
  });
  const quota = createUserQuota({
    store: connections.control,
    spec: { perSecond: config.userMessagesPerSecond, burst: config.userMessagesBurst },
    leaseMs: LEASE_MS,
    now,
  });

  return { connections, beat, health, subscriber, seen, log, directory, quota, signals, close };
}
