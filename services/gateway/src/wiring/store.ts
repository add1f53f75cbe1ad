/** The gateway's parts in Redis: connections, health, subscribers, and stored data. */
import type { RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { createAudit } from '../audit/audit.ts';
import { openConnections } from '../cluster/connections.ts';
import { createStoreHealth } from '../cluster/store-health.ts';
import { createTicker } from '../cluster/ticker.ts';
import type { GatewayConfig } from '../config.ts';
import { RedisSubscriber } from '../delivery/redis-subscriber.ts';
import { createRedisReadState } from '../inbox/redis-read-state.ts';
import { createRedisRoomList } from '../inbox/redis-room-list.ts';
import { createRoomQuota } from '../limits/room-quota.ts';
import { createBytesOf } from '../limits/stored-bytes.ts';
import { UserQuota } from '../limits/user-quota.ts';
import { createUserRate } from '../limits/user-rate.ts';
import type { AnyRequest } from '../log/append-calls.ts';
import { createRedisRoomLog, type StoreCall } from '../log/redis-room-log.ts';
import { createSeenPositions, type SeenPositions } from '../log/seen-positions.ts';
import { createDirectRooms } from '../rooms/direct-rooms.ts';
import { createRoomDirectory } from '../rooms/directory.ts';
import { createRoomClaims } from '../rooms/room-claims.ts';
import { createArchiveTasks, retentionOf } from './archive.ts';
import { createControl } from './control.ts';

/** Period of health checks and of retries of subscriptions. */
const TICK_MS = 500;
/** Maximum rooms whose positions this node remembers. */
const SEEN_ROOMS_MAX = 100_000;
/** Longer than pauses in a conversation, so that most messages find a leased token. */
const LEASE_MS = 10 * 60_000;

export type Store = ReturnType<typeof createStore>;

export interface StoreOptions {
  config: GatewayConfig;
  logger: Logger;
  /** A malformed or forged announcement was dropped. */
  onMalformed: () => void;
  /** These appends are about to share a round trip. */
  onBatch: (size: number, appends: ReadonlyArray<{ request: AnyRequest }>) => void;
  /** The store rejected an audit event. */
  onAuditFailed: () => void;
  /** The store rejected hints for the archiver. */
  onHintFailed: () => void;
  onCall: (call: StoreCall, outcome: string, seconds: number) => void;
  /** A user's joins or typing were refused. */
  onLimited: (limit: 'joins' | 'typing') => void;
  /** A connection of this purpose was closed because it was silent. */
  onSilent: (purpose: string) => void;
  now: () => number;
}

export function createStore(options: StoreOptions) {
  const { config, logger, now } = options;
  const { node, storeDeadlineMs: deadlineMs, waitReplicas } = config;
  const { connections, close } = openConnections({
    ...{ url: config.redisUrl, deadlineMs, node, logger },
    onSilent: options.onSilent,
  });
  const ticker = createTicker({ periodMs: TICK_MS, logger, now });
  const health = createStoreHealth({
    store: connections.control,
    node,
    connections: Object.entries(connections),
    waitReplicas,
    tickMs: TICK_MS,
    logger,
    // Monotonic, so that a corrected wall clock does not move expiries between two reads of the
    // store's clock.
    localNow: () => performance.timeOrigin + performance.now(),
  });
  const control = createControl({ store: connections.control, waitReplicas, tickMs: TICK_MS, logger, now });
  const subscriberOf = (store: RedisStore) =>
    new RedisSubscriber({
      store,
      gate: control.gate,
      retryMs: TICK_MS,
      onHandlerError: (error) => {
        options.onMalformed();
        logger.warn({ err: error }, 'an announcement was dropped');
      },
    });
  const ephemeralSubscriber = subscriberOf(connections.ephemeralSub);
  control.signalBy(ephemeralSubscriber);
  const seen = createSeenPositions({ roomsMax: SEEN_ROOMS_MAX });
  const quota = new UserQuota({
    store: connections.control,
    spec: { perSecond: config.userMessagesPerSecond, burst: config.userMessagesBurst },
    bytesOf: createBytesOf(config),
    leaseMs: LEASE_MS,
    now,
  });
  const audit = createAudit({
    store: connections.control,
    entriesMax: config.auditEntriesMax,
    ageMs: config.auditAgeMs,
    logger,
    storeNow: health.now,
    onFailed: options.onAuditFailed,
  });
  const archiveTasks = createArchiveTasks({
    ...{ config, store: connections.control, storeNow: health.now, onHintFailed: options.onHintFailed },
  });
  const rooms = createRoomQuota({ store: connections.control, limits: config });
  const claims = createRoomClaims({ store: connections.read, seen, quota, rooms });
  const lists = createLists(options, connections.read, seen);
  return {
    connections,
    ticker,
    health,
    subscriber: subscriberOf(connections.subscribe),
    ephemeralSubscriber,
    ...control,
    seen,
    log: createRedisRoomLog({
      appendStore: connections.append,
      readStore: connections.read,
      seen,
      retention: retentionOf(config),
      deadlineMs,
      waitReplicas,
      onRefused: health.noteRefusal,
      onBatch: options.onBatch,
      onStored: archiveTasks.note,
      onCall: options.onCall,
      now,
    }),
    directory: createRoomDirectory({
      store: connections.read,
      claims,
      roomList: lists.roomList,
      audit,
      onDeleted: archiveTasks.note,
      onUnlisted: (error) => logger.warn({ err: error }, 'a room was not listed'),
    }),
    directRooms: createDirectRooms({ store: connections.read, claims, list: lists.roomList }),
    quota,
    rates: createRates(options, connections.control),
    claims,
    ...lists,
    audit,
    archiveTasks,
    close,
  };
}

/** Room lists and read positions of users. */
function createLists({ logger, now }: StoreOptions, store: RedisStore, seen: SeenPositions) {
  return {
    roomList: createRedisRoomList({
      store,
      now,
      onFailed: (error) => logger.debug({ reason: String(error) }, 'a list of rooms waits for its repair'),
    }),
    readState: createRedisReadState({ store, seen }),
  };
}

/** Rates of a user in the whole cluster for actions that store nothing. */
function createRates({ config, onLimited, now }: StoreOptions, store: RedisStore) {
  return {
    join: createUserRate({
      store,
      kind: 'joins',
      spec: { perSecond: config.userJoinsPerSecond, burst: config.userJoinsBurst },
      message: `at most ${config.userJoinsPerSecond} joins a second`,
      onRefused: () => onLimited('joins'),
      now,
    }),
    typing: createUserRate({
      store,
      kind: 'typing',
      spec: { perSecond: config.userTypingPerSecond, burst: config.userTypingBurst },
      message: `at most ${config.userTypingPerSecond} typing events a second`,
      onRefused: () => onLimited('typing'),
      now,
    }),
  };
}
