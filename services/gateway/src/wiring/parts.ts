/** Which implementation stands behind which interface: the only module, with its neighbour `store.ts`, that knows. Nothing here starts. */
import { createServer } from 'node:http';
import type { Logger } from '@maru/service-kit';
import { createBalance } from '../cluster/balance.ts';
import { type GatewayConfig, limitsOf } from '../config.ts';
import { createDelivery } from '../delivery/delivery.ts';
import { createRecentBudget } from '../delivery/recent-entries.ts';
import { createChatServer } from '../edge/chat-server.ts';
import { createEphemeral, createEphemeralAdapter } from '../edge/ephemeral.ts';
import { FastPath } from '../edge/fast-path.ts';
import { createIo } from '../edge/io-server.ts';
import { createApi } from '../http/api.ts';
import { createTokens } from '../identity/tokens.ts';
import { createKeyedLimit } from '../limits/keyed-limit.ts';
import { measureLog } from '../ops/measured-log.ts';
import { createMetrics } from '../ops/metrics.ts';
import type { Tracing } from '../ops/tracing.ts';
import { createPresenceClient } from '../presence/presence-client.ts';
import { createPresenceWatches } from '../presence/presence-watches.ts';
import { RoomOccupancy } from '../presence/room-occupancy.ts';
import { createHandlers } from '../requests/handlers.ts';
import { createReadHistory } from '../requests/read-history.ts';
import { createSendMessage } from '../requests/send-message.ts';
import { createSubscriptions } from '../rooms/subscriptions.ts';
import { createTyping } from '../rooms/typing.ts';
import { createDrain } from '../sessions/drain.ts';
import { createSessionRegistry } from '../sessions/registry.ts';
import type { Session } from '../sessions/session.ts';
import { createStore } from './store.ts';

/** What all rooms together keep for those who resume. */
const RECENT_CHARS_MAX = 64 * 1_048_576;
/** The wide last defence by address, since offices share one. */
const ADDRESS_CALLS = { perSecond: 500, burst: 1_000 };
const KEYS_MAX = 100_000;

export function createParts(options: { config: GatewayConfig; logger: Logger; tracing: Tracing }) {
  const { config, logger, tracing } = options;
  const { node } = config;
  // Durations are measured by a clock that never steps; expiries go by the store's clock (`health.now`).
  const now = () => performance.now();
  const store = createStore({
    config,
    logger,
    onMalformed: () => metrics.malformed.inc(),
    onBatch(appends) {
      metrics.appendBatch.observe(appends.length);
      tracing.onBatch(appends);
    },
    now,
  });
  const { connections, health, seen, directory, quota } = store;
  const subscriber = tracing.subscriber(store.subscriber);
  const registry = createSessionRegistry({ connectionsPerUserMax: config.connectionsPerUserMax });
  const metrics = createMetrics({
    connections: () => chat.connections(),
    sessions: () => registry.size,
    rooms: () => hub.size,
    degraded: () => health.degraded,
    draining: () => drain.underWay,
    subscriberAlive: () => subscriber.alive,
    redisConnections: () => Object.entries(connections).map(([purpose, { ready }]) => [purpose, ready]),
    fastPath: () => fastPath,
    queuedBytes: () => Array.from(registry.all(), (session) => session.queuedBytes),
  });
  const measured = measureLog(store.log, {
    onCall: metrics.storeCalls.observe,
    now,
  });
  const log = tracing.log(measured);

  const hub = createDelivery({
    log,
    seen,
    subscriber,
    logger,
    lingerMs: config.roomLingerMs,
    auditPeriodMs: config.auditPeriodMs,
    deadlineMs: config.storeDeadlineMs,
    recentBudget: createRecentBudget(RECENT_CHARS_MAX),
    now,
    metrics: {
      resumeRead: () => metrics.resumeReads.inc(),
      delivered: metrics.delivered.inc,
      // The two clocks may disagree by a millisecond.
      announced: (ts) => metrics.deliveryDelay.observe(Math.max(0, health.now() - ts) / 1_000),
      fill: () => metrics.fills.inc(),
      malformed: () => metrics.malformed.inc(),
    },
    onRoomEntered: (room) => {
      directory.list(room).catch((error: unknown) => logger.warn({ err: error }, 'a room could not be listed'));
    },
  });

  const presence = createPresenceClient({
    node,
    baseUrl: config.presenceUrl,
    secret: config.internalSecret,
    subscriber,
    logger,
    registry: metrics.registry,
    now,
  });
  const watches = createPresenceWatches({ port: presence });
  const census = new RoomOccupancy();
  const membership = createSubscriptions({
    hub,
    log,
    census: {
      enter: (room, session) => {
        if (census.enter(room, session.user.id)) presence.enter(room, session.user);
      },
      leave: (room, session) => {
        watches.unwatch(session, room);
        if (census.leave(room, session.user.id)) presence.leave(room, session.user.id);
      },
    },
    onResume: metrics.resumes.inc,
    onAttachFailed: (error, { id }) =>
      logger.warn({ err: error, connection: id }, 'a member could not be brought up to date'),
  });

  const sendMessage = tracing.sendMessage(
    createSendMessage({
      log,
      quota,
      perSecond: config.userMessagesPerSecond,
      onOutcome: metrics.accepted.inc,
    }),
  );
  const readHistory = createReadHistory({ log });
  const mayRead = async (userId: string, room: string) => {
    await log.read(room, { userId }, { mode: 'none' });
  };

  const tokens = createTokens({
    keys: { secret: config.jwtSecret, jwksUrl: config.jwksUrl, issuer: config.jwtIssuer, audience: config.jwtAudience },
    guests: config.guests && config.guestSecret !== undefined ? { secret: config.guestSecret } : undefined,
    lifetimeMaxS: config.tokenLifetimeMaxS,
    now: health.now,
  });
  const eventSpec = { perSecond: config.connectionEventsPerSecond, burst: config.connectionEventsBurst };
  const allowedOrigins = new Set(config.allowedOrigins);
  const api = createApi({
    tokens,
    directory,
    sendMessage,
    readHistory,
    presence: async (userId, room) => {
      await mayRead(userId, room);
      return presence.snapshot(room);
    },
    onlineCounts: (rooms) => presence.counts(rooms),
    allowedOrigins,
    trustedProxies: config.trustedProxies,
    userLimit: createKeyedLimit({ spec: eventSpec, keysMax: KEYS_MAX, now }),
    addressLimit: createKeyedLimit({ spec: ADDRESS_CALLS, keysMax: KEYS_MAX, now }),
    logger,
    onCall: (route, status, seconds) => metrics.httpCalls.observe(route, String(status), seconds),
  });

  const httpServer = createServer(api);
  const io = createIo(httpServer, { node, sessionRoute: config.sessionRoute, allowedOrigins });
  const fastPath = new FastPath({ enabled: config.fastPath, engine: io.engine, logger, now });
  const signals = createEphemeral(io);
  io.adapter(
    createEphemeralAdapter({
      store: connections.signalsPub,
      subscriber: store.signals,
      onError: (stage, error) => {
        metrics.signalErrors.inc(stage);
        logger.debug({ stage, reason: String(error) }, 'a signal was lost');
      },
    }),
  );
  const chat = createChatServer({
    io,
    httpServer,
    tokens,
    registry,
    membership,
    handlers: createHandlers({
      membership,
      directory,
      sendMessage,
      readHistory,
      mayRead,
      signalTyping: createTyping({ log, signals, now }),
      watches,
      presence,
    }),
    allowedOrigins,
    fastPath,
    eventSpec,
    limits: limitsOf(config),
    isDegraded: () => health.degraded,
    onClosed: (session: Session) => watches.unwatchAll(session),
    logger,
    metrics: {
      connected: () => metrics.connects.inc(),
      disconnected: metrics.disconnects.inc,
      refused: metrics.refusals.inc,
      request: metrics.requests.observe,
      cut: metrics.cuts.inc,
    },
    now,
  });
  const balance = createBalance({
    store: connections.control,
    node,
    roundMs: config.rebalanceRoundMs,
    connections: () => registry.size,
    advise: config.rebalance ? registry.advise : undefined,
    logger,
  });
  const drain = createDrain({
    registry,
    waitMs: config.drainWaitMs,
    perSecond: config.drainPerSecond,
    spreadMaxMs: config.drainSpreadMaxMs,
    refuseHandshakes: () => chat.refuseHandshakes(),
  });

  return { store, registry, metrics, hub, presence, chat, httpServer, fastPath, balance, drain };
}
