/** What answers requests, from sockets and from HTTP. */
import type { Logger } from '@maru/service-kit';
import { createReadAudit } from '../audit/read-audit.ts';
import { createSignIns } from '../audit/sign-ins.ts';
import type { GatewayConfig } from '../config.ts';
import type { Ephemeral } from '../edge/ephemeral.ts';
import { createApi } from '../http/api.ts';
import type { Inbox } from '../inbox/inbox.ts';
import { createKeyedLimit } from '../limits/keyed-limit.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import type { Tracing } from '../ops/tracing.ts';
import { authHandlers } from '../requests/auth.ts';
import { Dispatcher } from '../requests/dispatch.ts';
import type { Handlers } from '../requests/handler.ts';
import { createReadHistory, historyHandlers } from '../requests/history.ts';
import { createReadMessages, messagePageHandlers } from '../requests/message-pages.ts';
import { messageHandlers } from '../requests/messages.ts';
import { moderationHandlers } from '../requests/moderation.ts';
import { presenceHandlers } from '../requests/presence.ts';
import { roomHandlers } from '../requests/rooms.ts';
import { createCarryOut } from '../rooms/acts.ts';
import { createModeration } from '../rooms/moderation.ts';
import { createTyping, type Typing } from '../rooms/typing.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { createInboxHandlers, noteChanges } from './inbox.ts';
import { createMessages } from './messages.ts';
import type { createRooms } from './rooms.ts';
import type { Store } from './store.ts';
import type { CheckedTokens } from './tokens.ts';

/** Users and addresses whose limits a node remembers. */
const KEYS_MAX = 100_000;

export interface RequestsOptions {
  config: GatewayConfig;
  logger: Logger;
  tracing: Tracing;
  store: Store;
  log: RoomLog;
  rooms: ReturnType<typeof createRooms>;
  registry: SessionRegistry;
  tokens: CheckedTokens;
  inbox: Inbox;
  metrics: GatewayMetrics;
  /** Resolved at the first call, because the edge is created after the requests. */
  ephemeral: () => Ephemeral;
  /** Hands over the WebSockets whose other end has this address. Resolves when they are closed. */
  handOverFrom: (address: string) => Promise<void>;
  now: () => number;
}

export function createRequests(options: RequestsOptions) {
  const { config, logger, store, log, rooms, registry, tokens, inbox, metrics, now } = options;
  const { sendMessage, changeMessage } = createMessages(options);
  const readMessages = createReadMessages({ log });
  const readHistory = createReadHistory({ log });
  const mayRead = async (userId: string, room: string) => {
    await log.read(room, { userId }, { mode: 'none' });
  };
  const emitTyping = createTyping({
    log,
    ephemeral: { typing: (event, exceptConnectionId) => options.ephemeral().typing(event, exceptConnectionId) },
    now,
  });
  const { audit } = store;
  const { carryOut, directory } = noteChanges({
    ...{ store, inbox },
    carryOut: createCarryOut({ log, quota: store.quota, audit, perSecond: config.userMessagesPerSecond }),
  });
  const moderation = createModeration({
    store: store.connections.read,
    log,
    quota: store.quota,
    storeNow: store.health.now,
  });
  const typing: Typing = async (session, request) => {
    await store.rates.typing(session.user.id);
    await emitTyping(session, request);
  };
  const { subscriptions, presence, watches } = rooms;
  const { directRooms } = store;
  const handlers: Handlers = {
    ...authHandlers({ tokens, registry, storeNow: store.health.now }),
    ...roomHandlers({ subscriptions, directory, directRooms, typing, mayRead }),
    ...moderationHandlers({ carryOut, directory, moderation }),
    ...messageHandlers({ sendMessage, changeMessage, claims: store.claims }),
    ...historyHandlers(readHistory),
    ...messagePageHandlers(readMessages),
    ...presenceHandlers({ presence, watches, mayRead }),
    ...createInboxHandlers({ store, inbox, mayRead }),
  };
  const dispatcher = new Dispatcher({
    handlers,
    gate: store.gate,
    onRequest: metrics.requests.observe,
    onLimited: metrics.limited.inc,
    logger,
    now,
  });
  const userSpec = { perSecond: config.connectionEventsPerSecond, burst: config.connectionEventsBurst };
  const addressSpec = { perSecond: config.addressCallsPerSecond, burst: config.addressCallsBurst };
  const api = createApi({
    tokens,
    orders: store.orders,
    audit,
    signIns: createSignIns({ audit, now }),
    readAudit: createReadAudit({
      store: store.connections.read,
      ageMs: config.auditAgeMs,
      storeNow: store.health.now,
    }),
    carryOut,
    directory,
    handlers,
    gate: store.gate,
    state: (userId, room) => log.read(room, { userId }, { mode: 'none' }),
    presence: async (userId, room) => {
      await mayRead(userId, room);
      return presence.snapshot(room);
    },
    onlineCounts: (ids) => presence.counts(ids),
    allowedOrigins: new Set(config.allowedOrigins),
    trustedProxies: config.trustedProxies,
    handOverFrom: options.handOverFrom,
    userLimit: createKeyedLimit({ spec: userSpec, keysMax: KEYS_MAX, now }),
    addressLimit: createKeyedLimit({ spec: addressSpec, keysMax: KEYS_MAX, now }),
    logger,
    onCall: (route, status, seconds) => metrics.httpCalls.observe(route, String(status), seconds),
  });
  return { dispatcher, api };
}
