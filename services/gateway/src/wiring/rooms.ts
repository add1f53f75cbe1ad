/** Delivery, presence, and the subscriptions of connections to rooms. */
import { isPrivateRoomId } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { GatewayConfig } from '../config.ts';
import { Delivery } from '../delivery/delivery.ts';
import { createRecentBudget } from '../delivery/recent-entries.ts';
import type { Subscriber } from '../delivery/subscriber.ts';
import { createResumeLimit } from '../limits/resume-limit.ts';
import { EMPTY_ROOM_BYTES } from '../limits/stored-bytes.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import { ConnectionCounts } from '../presence/connection-counts.ts';
import { createPresenceClient } from '../presence/presence-client.ts';
import { createPresenceWatches } from '../presence/presence-watches.ts';
import { createResumeRooms } from '../rooms/resume.ts';
import { Subscriptions } from '../rooms/subscriptions.ts';
import type { Session } from '../sessions/session.ts';
import type { Store } from './store.ts';

/** Recent entries that all rooms together keep for resumes. */
const RECENT_CHARS_MAX = 64 * 1_048_576;

export interface RoomsOptions {
  config: GatewayConfig;
  logger: Logger;
  store: Store;
  log: RoomLog;
  subscriber: Subscriber;
  metrics: GatewayMetrics;
  /** Whether the user has a connection on this node. */
  isConnected: (userId: string) => boolean;
  now: () => number;
}

export function createRooms(options: RoomsOptions) {
  const { config, logger, store, log, subscriber, metrics, isConnected, now } = options;
  const { seen, health, directory } = store;
  const delivery = new Delivery({
    log,
    seen,
    subscriber,
    gate: store.gate,
    logger,
    lingerMs: config.roomLingerMs,
    auditPeriodMs: config.auditPeriodMs,
    deadlineMs: config.storeDeadlineMs,
    recentBudget: createRecentBudget(RECENT_CHARS_MAX),
    now,
    metrics: {
      resumeRead: () => metrics.resumeReads.inc(),
      delivered: metrics.delivered.inc,
      // The two clocks may differ by a millisecond.
      announced: (ts) => metrics.deliveryDelay.observe(Math.max(0, health.now() - ts) / 1_000),
      backfill: () => metrics.backfills.inc(),
      malformed: () => metrics.malformed.inc(),
    },
    beforeCreate: (userId) => store.quota.charge(userId, EMPTY_ROOM_BYTES),
    onRoomEntered: (room) => {
      directory.list(room).catch((error: unknown) => logger.warn({ err: error }, 'a room was not listed'));
    },
  });
  const presence = createPresenceClient({
    node: config.node,
    baseUrl: config.presenceUrl,
    secret: config.internalSecret,
    subscriber,
    logger,
    registry: metrics.registry,
    isConnected,
    now,
  });
  const watches = createPresenceWatches({
    port: presence,
    mayRead: async (userId, room) => {
      await log.read(room, { userId }, { mode: 'none' });
    },
    pass: store.gate.pass,
  });
  const users = new ConnectionCounts();
  const subscriptions = new Subscriptions<Session>({
    delivery,
    log,
    takeJoin: store.rates.join,
    occupancy: {
      enter: (room, { user }) => {
        if (!users.enter(room, user.id)) return;
        presence.enter(room, user);
        if (isPrivateRoomId(room)) store.roomList.ensure(user.id, room);
      },
      leave: (room, session) => {
        watches.unwatch(session, room);
        if (users.leave(room, session.user.id)) presence.leave(room, session.user.id);
      },
    },
    onAttachFailed: (error, { id }) => logger.warn({ err: error, connection: id }, 'a member failed to catch up'),
  });
  const resumeRooms = createResumeRooms<Session>({
    delivery,
    subscriptions,
    takeResume: createResumeLimit({ connectionsMax: config.connectionsPerUserMax, now }),
    onResume: metrics.resumes.inc,
  });
  return { delivery, presence, watches, subscriptions, resumeRooms };
}
