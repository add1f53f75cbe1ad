/** The client as its host sees it: puts connection, rooms, sender and presence together, and keeps nothing itself. */
import type { ClientEventName, ClientRequests, HistoryData, Status, UserRef } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import type { Request } from './ack.ts';
import { createConnection } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import { createEmitter, type Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingMessage } from './events.ts';
import type { Transport } from './link.ts';
import { type ClientLogger, silentLogger } from './logger.ts';
import { createOutboxKeeper, type OutboxStorage } from './outbox-keeper.ts';
import { createPresenceWatcher } from './presence-watcher.ts';
import { createRooms } from './rooms.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';
import { createSender } from './sender.ts';
import { assertRoomId, assertText } from './text.ts';
import type { GetToken } from './token.ts';

export interface ChatClientOptions {
  /** The public address, such as `https://chat.example`. */
  url: string;
  getToken: GetToken;
  /** Keeps the outbox across reloads. Without it nothing is kept. */
  storage?: OutboxStorage;
  logger?: ClientLogger;
  /** In this order; the next one is tried where one is refused. */
  transports?: Transport[];
  path?: string;
  /** How long a message that can still succeed is tried, since it was sent or retried. Null, the default: until it does. */
  giveUpAfterMs?: number | null;
  /** Above the server's own deadline of a second, so that its answer comes first. */
  requestTimeoutMs?: number;
  connectTimeoutMs?: number;
  scheduler?: Scheduler;
}

export interface JoinOptions {
  /** Newest entries to begin with, 1 to 200. */
  limit?: number;
  /** Whether to tell who is there. */
  presence?: boolean;
}

export interface HistoryRequest {
  room: string;
  /** Exclusive, either of the two; without both the newest. */
  before?: number;
  after?: number;
  limit?: number;
  /** Refused with `conflict` when the log has another. */
  epoch?: string;
}

export interface ChatClient {
  /** The answer takes the listener off. */
  on: Emitter<ClientEvents>['on'];
  readonly connection: ConnectionState;
  /** Who we are, once a session told. */
  readonly user: UserRef | null;
  connect(): void;
  retryNow(): void;
  /** Ends the client for good: no event comes afterwards but the last `connection`. */
  close(): void;
  /** Wants the room from now on, across reconnects, until it is left, refused or removed. @throws MaruError `invalid` */
  join(room: string, options?: JoinOptions): void;
  leave(room: string): void;
  /** Queues a text; what becomes of it comes as `outgoing`. @throws MaruError `invalid`, `too_large`, `unavailable` (full) */
  send(room: string, text: string): OutgoingMessage;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  pending(): OutgoingMessage[];
  /** One page, ascending. @throws MaruError as a rejection */
  readHistory(request: HistoryRequest): Promise<HistoryData>;
  /** May be lost, and is for nothing but showing it. */
  setTyping(room: string, active: boolean): void;
  /** @throws MaruError as a rejection */
  setStatus(status: Status, text?: string): Promise<void>;
}

const DEFAULTS = { path: '/socket.io/', requestTimeoutMs: 4_000, connectTimeoutMs: 8_000 } as const;

export function createChatClient(options: ChatClientOptions): ChatClient {
  const logger = options.logger ?? silentLogger;
  const scheduler = options.scheduler ?? systemScheduler;
  const events = createEmitter<ClientEvents>(logger);
  const withPresence = new Set<string>();
  let user: UserRef | null = null;

  const request: Request = (name, payload, done) => connection.request(name, payload, done);
  const promise = <N extends ClientEventName>(name: N, payload: ClientRequests[N][0]) =>
    new Promise<ClientRequests[N][1]>((resolve, reject) => {
      request(name, payload, (result) => (result.ok ? resolve(result.data) : reject(result.error)));
    });

  const presence = createPresenceWatcher({ request, events, scheduler, logger });
  const sender = createSender({
    request,
    events,
    scheduler,
    keeper: createOutboxKeeper(options.storage ?? null, logger, scheduler.now),
    giveUpAfterMs: options.giveUpAfterMs ?? null,
  });
  const rooms = createRooms({
    request,
    events,
    scheduler,
    logger,
    onReady: (room) => {
      if (withPresence.has(room)) presence.start(room);
    },
    onGone: (room) => {
      withPresence.delete(room);
      presence.stop(room);
    },
    // Before the host hears of them, so that a message is never shown both as stored and as being sent.
    onEntries: (entries) => sender.onEntries(entries, user?.id ?? null),
  });
  const connection = createConnection({
    url: options.url,
    path: options.path ?? DEFAULTS.path,
    transports: options.transports ?? ['websocket', 'polling'],
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs,
    getToken: options.getToken,
    resume: rooms.positions,
    scheduler,
    logger,
    onState: (state) => events.emit('connection', state),
    onSession: (session) => {
      user = session.user;
      events.emit('session', session);
      rooms.onSession(session);
      sender.onSession();
    },
    onLost: () => {
      rooms.onLost();
      presence.onLost();
      sender.onLost();
    },
    onNotice: (notice) => events.emit('notice', notice),
    on: {
      message: rooms.onMessage,
      typing: (signal) => events.emit('typing', signal),
      presence: presence.onDiff,
      'room:event': rooms.onRoomEvent,
    },
  });

  return {
    on: events.on,
    get connection() {
      return connection.state;
    },
    get user() {
      return user;
    },
    connect: connection.connect,
    retryNow: connection.retryNow,
    close() {
      sender.close();
      connection.close();
    },
    join(room, { limit = LIMITS.pageEntriesDefault, presence: wantsPresence = false } = {}) {
      assertRoomId(room);
      if (wantsPresence) withPresence.add(room);
      rooms.join(room, { limit });
    },
    leave(room) {
      withPresence.delete(room);
      presence.stop(room);
      rooms.leave(room);
    },
    send(room, text) {
      assertRoomId(room);
      assertText(text);
      return sender.send(room, text);
    },
    retry: sender.retry,
    discard: sender.discard,
    pending: sender.pending,
    readHistory: (history) => promise('history:read', history),
    setTyping: (room, active) => connection.signal('typing', { room, active }),
    async setStatus(status, text) {
      await promise('presence:set', text === undefined ? { status } : { status, text });
    },
  };
}
