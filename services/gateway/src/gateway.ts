/**
 * The composition root: the only module that knows which implementation stands behind which interface, and in which order a
 * gateway starts and ends.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, type OpsServer, type Service, startOpsServer, waitUntilReady } from '@maru/service-kit';
import { createBalance } from './cluster/balance.ts';
import { closeConnections, openConnections } from './cluster/connections.ts';
import { createSignals, createSignalsAdapter } from './cluster/signals.ts';
import { createStoreHealth } from './cluster/store-health.ts';
import { createSubscriber } from './cluster/subscriber.ts';
import { type GatewayConfig, limitsOf } from './config.ts';
import { createChatServer, createIo } from './connection/chat-server.ts';
import { createDrain } from './connection/drain.ts';
import { createHandlers } from './connection/handlers.ts';
import { createSessionRegistry } from './connection/registry.ts';
import type { Session } from './connection/session.ts';
import { createRecentBudget } from './delivery/recent-entries.ts';
import { createRoomHub } from './delivery/room-hub.ts';
import { createApi } from './http/api.ts';
import { createTokens } from './identity/tokens.ts';
import { writeProbeKey } from './keys.ts';
import { createKeyedLimit } from './limits/keyed-limit.ts';
import { createUserQuota } from './limits/user-quota.ts';
import { createReadHistory } from './messages/read-history.ts';
import { createRedisRoomLog } from './messages/redis-room-log.ts';
import { createSeenPositions } from './messages/seen-positions.ts';
import { createSendMessage } from './messages/send-message.ts';
import { createMetrics } from './ops/metrics.ts';
import { createPresenceClient } from './presence/presence-client.ts';
import { createPresenceWatches } from './presence/presence-watches.ts';
import { RoomCensus } from './presence/room-census.ts';
import { createMembership } from './rooms/membership.ts';
import { createRoomDirectory } from './rooms/room-directory.ts';
import { createSignalTyping } from './rooms/signal-typing.ts';

/** The store is asked, and the subscriber heard, so often; so long a silence counts as a lost connection. */
const BEAT_MS = 500;
const SILENCE_MAX_MS = 1_500;
/** Positions that this node remembers, and user tokens that it leases at once and for how long. */
const SEEN_ROOMS_MAX = 100_000;
/** What all rooms together keep for those who resume. */
const RECENT_CHARS_MAX = 64 * 1_048_576;
const LEASE_TOKENS = 10;
const LEASE_MS = 5_000;
/** The wide last defence by address, since offices share one. */
const ADDRESS_CALLS = { perSecond: 500, burst: 1_000 };
const KEYS_MAX = 100_000;
/** How long a start waits for the store before it listens all the same, degraded. */
const STORE_WAIT_MS = 5_000;

export interface Gateway extends Service {
  /** Resolves when it listens; rejects when a port cannot be bound. */
  start(): Promise<{ port: number; opsPort: number }>;
}

export function createGateway(options: { config: GatewayConfig; logger: Logger }): Gateway {
  const { config, logger } = options;
  const { node } = config;
  // Durations are measured by a clock that never steps; expiries go by the store's clock (`health.now`).
  const now = () => performance.now();
  const redis = openConnections({ url: config.redisUrl, deadlineMs: config.storeDeadlineMs, node, logger });

  const health = createStoreHealth({
    redis: redis.control,
    probeKey: writeProbeKey(node),
    canAppend: () => redis.append.status === 'ready',
    beatMs: BEAT_MS,
    logger,
    localNow: () => Date.now(),
  });
  const registry = createSessionRegistry({ connectionsPerUserMax: config.connectionsPerUserMax });
  const metrics = createMetrics({
    connections: () => chat.connections(),
    sessions: () => registry.size,
    rooms: () => hub.size,
    degraded: () => health.degraded,
    draining: () => drain.underWay,
  });
  const subscriber = createSubscriber({
    node,
    redis: redis.subscribe,
    publish: (channel, payload) => redis.control.spublish(channel, payload),
    heartbeatMs: BEAT_MS,
    silenceMaxMs: SILENCE_MAX_MS,
    logger,
    onHandlerError: (error) => {
      metrics.malformed.inc();
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
  const hub = createRoomHub({
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
      delivered: (members) => metrics.delivered.inc(members),
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
  const census = new RoomCensus();
  const membership = createMembership({
    hub,
    log,
    census: {
      enter: (room, session) => {
        if (census.enter(room, session.user, session.id) !== undefined) presence.enter(room, session.user);
      },
      leave: (room, session) => {
        watches.unwatch(session, room);
        if (census.leave(room, session.id) !== undefined) presence.leave(room, session.user.id);
      },
    },
    onResume: (result) => metrics.resumes.inc({ result }),
    onAttachFailed: (error) => logger.warn({ err: error }, 'a member could not be brought up to date'),
  });

  const quota = createUserQuota({
    redis: redis.control,
    spec: { perSecond: config.userMessagesPerSecond, burst: config.userMessagesBurst },
    blockTokens: LEASE_TOKENS,
    leaseMs: LEASE_MS,
    now,
  });
  const sendMessage = createSendMessage({
    log,
    quota,
    perSecond: config.userMessagesPerSecond,
    onOutcome: (outcome) => metrics.accepted.inc({ outcome }),
  });
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
    onCall: (route, status, seconds) => metrics.httpCalls.observe({ route, status: String(status) }, seconds),
  });

  const httpServer = createServer(api);
  const io = createIo(httpServer, { node, allowedOrigins });
  const signals = createSignals(io);
  io.adapter(
    createSignalsAdapter({
      pubRedis: redis.signalsPub,
      subRedis: redis.signalsSub,
      onError: (stage, error) => {
        metrics.signalErrors.inc({ stage });
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
      signalTyping: createSignalTyping({ log, signals, now }),
      watches,
      presence,
    }),
    allowedOrigins,
    eventSpec,
    limits: limitsOf(config),
    isDegraded: () => health.degraded,
    onClosed: (session: Session) => watches.unwatchAll(session),
    logger,
    metrics: {
      connected: () => metrics.connects.inc(),
      disconnected: (reason) => metrics.disconnects.inc({ reason }),
      refused: (reason) => metrics.refusals.inc({ reason }),
      request: (event, outcome, seconds) => metrics.requests.observe({ event, outcome }, seconds),
      cut: (reason) => metrics.cuts.inc({ reason }),
    },
    now,
  });
  const balance = createBalance({
    redis: redis.control,
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

  let ops: OpsServer | undefined;
  let listening = false;
  let expirySweep: NodeJS.Timeout | undefined;
  let stopped: Promise<void> | undefined;

  health.onChange((degraded) => registry.noticeAll({ code: degraded ? 'degraded' : 'recovered' }));

  const stop = async () => {
    listening = false;
    clearInterval(expirySweep);
    await balance.leave();
    // Together: a peer that does not answer must not keep the others from hearing that this node leaves.
    await Promise.all([chat.close(), presence.stop()]);
    hub.stop();
    subscriber.stop();
    health.stop();
    await closeConnections(redis);
    await ops?.close();
  };

  return {
    async start() {
      ops = await startOpsServer({
        host: config.host,
        port: config.opsPort,
        registry: metrics.registry,
        // Not a matter of the store: without it clients are still accepted, and told.
        isReady: () => listening && !drain.underWay,
      });
      const reached = await waitUntilReady(redis.read, STORE_WAIT_MS);
      if (!reached) logger.error('the store could not be reached; starting all the same, degraded');
      health.start();
      subscriber.start();
      hub.start();
      await presence.start();
      balance.start();
      expirySweep = setInterval(() => registry.sweep(health.now()), 1_000);
      await new Promise<void>((resolve, reject) => {
        httpServer.once('error', reject);
        httpServer.listen(config.listenPort, config.host, resolve);
      });
      listening = true;
      const { port } = httpServer.address() as AddressInfo;
      logger.info({ port, opsPort: ops.port }, 'listening');
      return { port, opsPort: ops.port };
    },
    async drain() {
      await Promise.all([drain.run(), balance.leave()]);
      stopped ??= stop();
      await stopped;
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
