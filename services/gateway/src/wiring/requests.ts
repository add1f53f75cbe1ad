/** The request handlers, for connections and for HTTP. */
import type { Replicas } from '@maru/archive-db';
import type { Logger } from '@maru/service-kit';
import { createReadAudit } from '../audit/read-audit.ts';
import { createSignIns } from '../audit/sign-ins.ts';
import { authConfigOf, type GatewayConfig } from '../config.ts';
import type { Ephemeral } from '../edge/ephemeral.ts';
import { createApi } from '../http/api.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { ReadState } from '../inbox/read-state.ts';
import { createKeyedLimit } from '../limits/keyed-limit.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { GatewayMetrics } from '../ops/metrics.ts';
import type { Tracing } from '../ops/tracing.ts';
import { createUsersPresence } from '../presence/users-presence.ts';
import { authHandlers } from '../requests/auth.ts';
import { Dispatcher } from '../requests/dispatch.ts';
import type { Handlers } from '../requests/handler.ts';
import { createReadHistory, historyHandlers } from '../requests/history.ts';
import { createReadMessages, messagePageHandlers } from '../requests/message-pages.ts';
import { type MayBeArchived, messageHandlers } from '../requests/messages.ts';
import { moderationHandlers } from '../requests/moderation.ts';
import { presenceHandlers } from '../requests/presence.ts';
import { roomHandlers } from '../requests/rooms.ts';
import { createGiveOrder } from '../revocation/audited-orders.ts';
import { createCarryOut } from '../rooms/acts.ts';
import { createModeration } from '../rooms/moderation.ts';
import { createReportedRooms } from '../rooms/reported-rooms.ts';
import { createRoomsOfCluster } from '../rooms/rooms-of-cluster.ts';
import { createTyping, type Typing } from '../rooms/typing.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { createInboxHandlers, noteChanges } from './inbox.ts';
import { createMessages } from './messages.ts';
import type { createNodes } from './nodes.ts';
import { createPersonal } from './personal.ts';
import type { createRooms } from './rooms.ts';
import { createSearchHandlers } from './search.ts';
import { createSignIn } from './sign-in.ts';
import type { Store } from './store.ts';
import type { CheckedTokens } from './tokens.ts';

/** Maximum users and addresses whose limits a node remembers. */
const KEYS_MAX = 100_000;

export interface RequestsOptions {
  config: GatewayConfig;
  logger: Logger;
  tracing: Tracing;
  store: Store;
  log: RoomLog;
  readState: ReadState;
  archive: Pick<Replicas, 'read'> | undefined;
  rooms: ReturnType<typeof createRooms>;
  registry: SessionRegistry;
  nodes: ReturnType<typeof createNodes>;
  tokens: CheckedTokens;
  inbox: Inbox;
  metrics: GatewayMetrics;
  /** Resolved at the first call, because the edge is created after the requests. */
  ephemeral: () => Ephemeral;
  /** Hands over the WebSockets whose peer has this address. Resolves when they are closed. */
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
  const { carryOut, createRoom, openDirectRoom, directory } = noteChanges({
    ...{ store, inbox },
    carryOut: createCarryOut({
      ...{ log, quota: store.quota, audit, perSecond: config.userMessagesPerSecond, storeNow: store.health.now },
    }),
  });
  const storeNow = store.health.now;
  const reportedRooms = createReportedRooms({ store: store.connections.read, storeNow, logger });
  const moderation = createModeration({
    ...{ store: store.connections.read, log, quota: store.quota, audit, storeNow },
    onReported: reportedRooms.note,
  });
  const personal = createPersonal({ config, logger, store, log, carryOut, directory });
  const typing: Typing = async (session, request) => {
    await store.rates.typing(session.user.id);
    await emitTyping(session, request);
  };
  const { subscriptions, presence, watches } = rooms;
  const handlers: Handlers = {
    ...authHandlers({ tokens, registry, storeNow: store.health.now }),
    ...roomHandlers({ subscriptions, createRoom, directory, openDirectRoom, typing, mayRead }),
    ...moderationHandlers({ carryOut, directory, moderation }),
    ...messageHandlers({ sendMessage, changeMessage, claims: store.claims, mayBeArchived: mayBeArchivedOf(options) }),
    ...historyHandlers(readHistory),
    ...messagePageHandlers(readMessages),
    ...presenceHandlers({ presence, watches, mayRead }),
    ...createInboxHandlers({ store, readState: options.readState, inbox, mayRead }),
    ...createSearchHandlers({ config, store, archive: options.archive, mayRead, now }),
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
    giveOrder: createGiveOrder({ orders: store.orders, audit }),
    authConfig: authConfigOf(config),
    ...createSignIn({
      ...{ config, tokens, logger, now },
      store: store.connections.control,
      storeNow: store.health.now,
    }),
    signIns: createSignIns({ audit, onOutcome: metrics.signIns.inc, now }),
    readAudit: createReadAudit({
      store: store.connections.read,
      ageMs: config.auditAgeMs,
      storeNow: store.health.now,
    }),
    carryOut,
    cluster: { ...clusterViews(options), reportedRooms },
    directory,
    myData: personal.myData,
    handlers,
    gate: store.gate,
    state: (userId, room) => log.read(room, { userId }, { mode: 'none' }),
    presence: async (userId, room) => {
      await mayRead(userId, room);
      return presence.snapshot(room);
    },
    usersPresence: createUsersPresence({ store: store.connections.read, presence, roomsOf: roomsOf(store) }),
    onlineCounts: (ids) => presence.counts(ids),
    allowedOrigins: new Set(config.allowedOrigins),
    trustedProxies: config.trustedProxies,
    handOverFrom: options.handOverFrom,
    userLimit: createKeyedLimit({ spec: userSpec, keysMax: KEYS_MAX, now }),
    addressLimit: createKeyedLimit({ spec: addressSpec, keysMax: KEYS_MAX, now }),
    logger,
    onCall: (route, status, seconds) => metrics.httpCalls.observe(route, String(status), seconds),
  });
  return { dispatcher, api, personal };
}

/** The ids of the rooms in a user's list. */
const roomsOf = (store: Store) => async (userId: string) => (await store.roomList.read(userId)).map(({ room }) => room);

/** The administrators' view of the cluster. */
const clusterViews = ({ config, store, nodes }: RequestsOptions) => ({
  node: config.node,
  nodes: nodes.reports,
  questions: nodes.questions,
  settings: nodes.settings,
  roomsOfCluster: createRoomsOfCluster({ store: store.connections.read }),
  roomsOf: roomsOf(store),
  revokedAt: (userId: string) => store.revokedUsers.at(userId),
});

/**
 * The hot log keeps at least `retentionEntriesMin` entries. Half of them is a margin for entries
 * that this node has not seen yet.
 */
const mayBeArchivedOf =
  ({ archive, config, store }: RequestsOptions): MayBeArchived =>
  (room, seq) => {
    if (archive === undefined) return false;
    const head = store.seen.headOf(room);
    return head === 0 || seq <= head - config.retentionEntriesMin / 2;
  };
