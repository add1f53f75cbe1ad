/**
 * Builds all parts of a gateway. Only wiring/ knows the implementation of each interface. Nothing
 * starts here.
 */
import type { Logger } from '@maru/service-kit';
import { createBalance } from '../cluster/balance.ts';
import { type Connections, PURPOSES } from '../cluster/connections.ts';
import type { GatewayConfig } from '../config.ts';
import { ConnectionSlots } from '../limits/connection-slots.ts';
import { createMetrics } from '../ops/metrics.ts';
import type { Tracing } from '../ops/tracing.ts';
import { CONNECTION_LIMITS } from '../requests/dispatch.ts';
import { guardReads } from '../revocation/guarded-log.ts';
import { COMING_BACK_REASONS } from '../sessions/ends.ts';
import { createHandOver } from '../sessions/hand-over.ts';
import { createRefusalLog } from '../sessions/refusal-log.ts';
import { SessionRegistry } from '../sessions/registry.ts';
import { REFUSAL_REASONS, type RefusalReason } from '../sessions/sessions.ts';
import { openArchiveReads, withArchive } from './archive-reads.ts';
import { carryOut } from './control.ts';
import { createFront } from './front.ts';
import { createInbox } from './inbox.ts';
import { createNodes } from './nodes.ts';
import { createRequests } from './requests.ts';
import { createRooms } from './rooms.ts';
import { createStore, type Store } from './store.ts';
import { createCheckedTokens } from './tokens.ts';

const UNLOGGED: ReadonlySet<RefusalReason> = new Set(['unauthenticated', 'keys', 'draining']);

export type Parts = ReturnType<typeof createParts>;

export interface PartsOptions {
  config: GatewayConfig;
  /** The variables that `config` was read from. */
  environment: Record<string, string | undefined>;
  logger: Logger;
  tracing: Tracing;
}

export function createParts(options: PartsOptions) {
  const { config, environment, logger, tracing } = options;
  // Durations use a monotonic clock. Expiries use the store's clock (`health.now`).
  const now = performance.now.bind(performance);
  const metrics = createMetrics({
    refusals: REFUSAL_REASONS,
    ends: COMING_BACK_REASONS,
    limits: [...CONNECTION_LIMITS, 'joins', 'typing'],
    purposes: Object.values(PURPOSES),
  });
  const store = createStore({
    config,
    logger,
    onMalformed: metrics.malformed.inc,
    onBatch: observerOf(metrics.appendBatch.observe, tracing.onBatch),
    onAuditFailed: metrics.auditFailures.inc,
    onHintFailed: metrics.hintFailures.inc,
    onCall: metrics.storeCalls.observe,
    onLimited: metrics.limited.inc,
    onSilent: metrics.silentConnections.inc,
    now,
  });
  const registry = new SessionRegistry({ connectionsPerUserMax: config.connectionsPerUserMax });
  const { inbox, inboxChannels } = createInbox({ store, registry, metrics, now });
  const slots = new ConnectionSlots({
    store: store.connections.control,
    node: config.node,
    max: config.connectionsPerUserClusterMax,
    ttlMs: config.connectionSlotsTtlMs,
    connectionsOf: registry.connectionsOf,
    now,
  });
  const handOver = createHandOver({ perSecond: config.drainPerSecond, spreadMaxMs: config.drainSpreadMaxMs });
  const { orders, revokedUsers, gate } = store;
  carryOut({
    ...{ node: config.node, orders, revokedUsers, registry, logger },
    // Like a supervisor: the process drains and is then started again.
    drain: () => process.kill(process.pid, 'SIGTERM'),
  });
  const archive = openArchiveReads({ config, logger });
  const whole = withArchive(store, { config, archive, onCall: metrics.storeCalls.observe, now });
  const log = guardReads(tracing.log(whole.log), { gate, users: revokedUsers });
  const subscriber = tracing.subscriber(store.subscriber);
  const refusalLog = createRefusalLog({ logger, now });
  const tokens = createCheckedTokens({
    ...{ config, logger, refusalLog, orders, revokedUsers, gate, now },
    audit: store.audit,
    storeNow: store.health.now,
    onKeyFetch: metrics.keyFetches.inc,
    onSignIn: metrics.signIns.inc,
  });
  const isConnected = (userId: string) => registry.connectionsOf(userId) > 0;
  const rooms = createRooms({ config, logger, store, log, subscriber, metrics, isConnected, now });
  const nodes = createNodes({
    ...{ config, environment, logger, store, archive, rooms, registry, metrics, now },
    draining: () => front.drain.active,
  });
  const requests = createRequests({
    ...{ config, logger, tracing, store, log, archive, rooms, registry, nodes, tokens, inbox, metrics, now },
    readState: whole.readState,
    ephemeral: () => front.edge.ephemeral,
    handOverFrom: (address) => handOver.run([...registry.all()].filter(({ peerAddress }) => peerAddress === address)),
  });
  const front = createFront({
    ...{ config, logger, store, rooms, requests, registry, slots, handOver, tokens, metrics, now },
    onRefused: (reason) => {
      metrics.refusals.inc(reason);
      // Tokens have a more detailed log line, and each drain refuses some handshakes.
      if (!UNLOGGED.has(reason)) refusalLog.handshake(reason);
    },
  });
  const balance = createBalance({
    store: store.connections.control,
    node: config.node,
    roundMs: config.rebalanceRoundMs,
    connections: () => registry.size,
    advise: config.rebalance ? (count, withinMs) => registry.advise(count, withinMs) : undefined,
    logger,
  });
  exposeMetrics({ config, metrics, store, registry, rooms, front, inboxChannels });
  const { personal } = requests;
  return {
    store,
    registry,
    slots,
    metrics,
    ...rooms,
    ...front,
    ...{ archive, balance, nodes, inboxChannels, personal, tracing },
  };
}

interface Exposed {
  config: GatewayConfig;
  metrics: ReturnType<typeof createMetrics>;
  store: Store;
  registry: SessionRegistry;
  rooms: ReturnType<typeof createRooms>;
  front: ReturnType<typeof createFront>;
  inboxChannels: ReturnType<typeof createInbox>['inboxChannels'];
}

/** Metrics that are read at a scrape. */
function exposeMetrics({ config, metrics, store, registry, rooms, front, inboxChannels }: Exposed): void {
  metrics.expose({
    connections: () => front.edge.transports,
    sessions: () => registry.size,
    rooms: () => rooms.delivery.size,
    degraded: () => store.health.degraded,
    ordersAgeMs: () => store.orders.silentMs,
    revocations: () => store.revokedUsers.size,
    archive: () => config.postgresUrl !== undefined,
    draining: () => front.drain.active,
    subscriberAlive: () => store.subscriber.alive,
    redisConnections: () => namesOf(store.connections).map((name) => [PURPOSES[name], store.connections[name].ready]),
    fastPath: () => front.edge.fastPath,
    inboxes: () => inboxChannels.size,
    queuedBytes: () => Array.from(registry.all(), (session) => session.queuedBytes),
  });
}

/** Most nodes have no tracing, so the observer may be undefined. */
function observerOf<T>(observe: (size: number) => void, trace: ((appends: T) => void) | undefined) {
  if (trace === undefined) return observe;
  return (size: number, appends: T) => {
    observe(size);
    trace(appends);
  };
}

const namesOf = (connections: Connections) => Object.keys(connections) as Array<keyof Connections>;
