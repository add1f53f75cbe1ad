/** The client-facing parts: the HTTP server, the Socket.IO edge, and the sessions. */
import { createServer } from 'node:http';
import type { Logger } from '@maru/service-kit';
import { featuresOf, type GatewayConfig, limitsOf } from '../config.ts';
import { createEdge } from '../edge/server.ts';
import type { Identity } from '../identity/tokens.ts';
import { connectionLimitsOf } from '../limits/connection-limits.ts';
import type { ConnectionSlots } from '../limits/connection-slots.ts';
import { createNodeLimits } from '../limits/node-limits.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import { createDrain } from '../sessions/drain.ts';
import type { HandOver } from '../sessions/hand-over.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { Session } from '../sessions/session.ts';
import { type RefusalReason, Sessions } from '../sessions/sessions.ts';
import type { createRequests } from './requests.ts';
import type { createRooms } from './rooms.ts';
import type { Store } from './store.ts';
import type { CheckedTokens } from './tokens.ts';

/**
 * Protects against slow-loris attacks that bypass nginx: a connection is closed if its request or
 * the headers take longer, or if it sends no request. The defaults of Node.js are 60 s and 300 s,
 * checked every 30 s. WebSockets and waiting polls are not affected.
 */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const TIMEOUT_CHECK_MS = 2_000;

export interface FrontOptions {
  config: GatewayConfig;
  logger: Logger;
  store: Store;
  rooms: ReturnType<typeof createRooms>;
  requests: ReturnType<typeof createRequests>;
  registry: SessionRegistry;
  slots: ConnectionSlots;
  handOver: HandOver;
  tokens: CheckedTokens;
  metrics: GatewayMetrics;
  onRefused: (reason: RefusalReason) => void;
  now: () => number;
}

export function createFront(options: FrontOptions) {
  const { config, logger, store, rooms, requests, registry, slots, tokens, metrics, onRefused, now } = options;
  const { subscriptions, watches, resumeRooms } = rooms;
  const sessions = new Sessions({
    tokens,
    isRevoked: tokens.isRevoked,
    gate: store.gate,
    registry,
    slots,
    resumeRooms,
    connectionLimits: connectionLimitsOf(config),
    connectionsPerUserMax: config.connectionsPerUserMax,
    limits: limitsOf(config),
    features: featuresOf(config),
    isDegraded: () => store.health.degraded,
    onRequest: requests.dispatcher.dispatch,
    onRemoved: (session, room, reason) => subscriptions.removed(session, room, reason),
    onGone: (session) => {
      subscriptions.leaveAll(session);
      watches.unwatchAll(session);
    },
    logger,
    metrics: {
      connected: () => metrics.connects.inc(),
      disconnected: metrics.disconnects.inc,
      refused: onRefused,
      ended: metrics.ends.inc,
    },
    now,
    storeNow: store.health.now,
  });
  const httpServer = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    requests.api,
  );
  const edge = createEdge<Identity, Session>({
    httpServer,
    node: config.node,
    sessionRoute: config.sessionRoute,
    allowedOrigins: new Set(config.allowedOrigins),
    fastPath: config.fastPath,
    pingIntervalMs: config.pingIntervalMs,
    pingTimeoutMs: config.pingTimeoutMs,
    handlers: sessions,
    limitReached: createNodeLimits({ ...config, memoryBytes: process.memoryUsage.rss, now }),
    onRefused,
    ephemeral: {
      store: store.connections.ephemeralPub,
      subscriber: store.ephemeralSubscriber,
      onError: (stage, error) => {
        metrics.ephemeralErrors.inc(stage);
        logger.debug({ stage, reason: String(error) }, 'an ephemeral event was lost');
      },
    },
    logger,
    now,
  });
  const drain = createDrain({
    registry,
    handOver: options.handOver,
    waitMs: config.drainWaitMs,
    refuseHandshakes: () => edge.refuseHandshakes(),
  });
  return { httpServer, edge, drain };
}
