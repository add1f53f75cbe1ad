/** Combines connection, rooms, sender and presence into a client. */
import type { HistoryData, MessagesData, Position, SearchData, UserRef } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import { promised, type Request } from './ack.ts';
import type {
  ChatClient,
  ChatClientOptions,
  HistoryRequest,
  JoinOptions,
  MessagesRequest,
  SearchRequest,
} from './client-types.ts';
import { Connection } from './connection.ts';
import { type ConnectionState, sameState } from './connection-state.ts';
import { DetailsBook } from './details-book.ts';
import { createEmitter, type Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingAct, OutgoingMessage, RoomStatus } from './events.ts';
import { LateWatch } from './late-watch.ts';
import { limitsOf } from './limits.ts';
import { silentLogger } from './logger.ts';
import { createModeration, type Moderation } from './moderation.ts';
import { createOutboxStore } from './outbox-store.ts';
import { OwnStatus } from './own-status.ts';
import { createPresenceWatcher, type PresenceWatcher } from './presence-watcher.ts';
import { type RetriedRequest, retriedRequest } from './retried.ts';
import type { RoomDetails } from './room-details.ts';
import { Rooms } from './rooms.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';
import { Sender } from './sender.ts';
import { assertRoomId, assertText } from './text.ts';
import { watchWake } from './wake.ts';

export type * from './client-types.ts';

export function createChatClient(options: ChatClientOptions): ChatClient {
  return new Client(options);
}

/** Its methods are bound, so hosts can pass them on as functions. */
class Client implements ChatClient {
  readonly on: ChatClient['on'];
  readonly moderation: Moderation;
  readonly request: RetriedRequest;
  readonly setStatus: ChatClient['setStatus'];
  readonly #connection: Connection;
  readonly #rooms: Rooms;
  readonly #sender: Sender;
  readonly #presence: PresenceWatcher;
  readonly #status: OwnStatus;
  readonly #details: DetailsBook;
  readonly #scheduler: Scheduler;
  readonly #late: LateWatch;
  readonly #events: Emitter<ClientEvents>;
  /** The state in the last event. */
  #shown: ConnectionState | null = null;
  #stopWatching = () => {};
  #user: UserRef | null = null;
  #features: readonly string[] = [];

  constructor(options: ChatClientOptions) {
    const logger = options.logger ?? silentLogger;
    const scheduler = options.scheduler ?? systemScheduler;
    const limits = limitsOf(options);
    this.#scheduler = scheduler;
    const events = createEmitter<ClientEvents>(logger);
    const request: Request = (name, payload, done) => this.#connection.request(name, payload, done);
    const tools = { request, events, scheduler, logger };
    this.on = events.on;
    this.#events = events;
    this.#late = new LateWatch({ scheduler, lateAfterMs: limits.lateAfterMs, onChange: () => this.#showState() });
    this.moderation = createModeration(tools);
    this.request = retriedRequest(tools);
    this.#presence = createPresenceWatcher(tools);
    this.#status = new OwnStatus(tools);
    this.setStatus = this.#status.set;
    this.#details = new DetailsBook({ ...tools, onHead: (room, position) => this.#rooms.expect(room, position) });
    this.#sender = new Sender({
      ...tools,
      store: createOutboxStore(options.storage ?? null, logger, scheduler.now),
      giveUpAfterMs: limits.giveUpAfterMs,
      onWaiting: (sinceMs) => this.#late.note(sinceMs),
      onStored: (room, { epoch, seq }) => this.#rooms.expect(room, { epoch, head: seq }),
    });
    this.#rooms = new Rooms({
      ...tools,
      limits,
      onReady: (room) => {
        this.#presence.onReady(room);
        this.#details.onReady(room);
      },
      onGone: (room, error) => {
        this.#end(room);
        this.#sender.endRoom(room, error);
      },
      onJoined: (data) => this.#details.onJoined(data),
      onSkipped: (room) => this.#details.onSkipped(room),
      // Before the host gets the entries, so that no message appears both as stored and as sending.
      onEntries: (room, entries) => {
        if (this.#user === null) return;
        this.#sender.onEntries(room, entries, this.#user.id);
        this.#details.onEntries(room, entries, this.#user.id);
      },
    });
    this.#connection = new Connection({
      url: options.url,
      path: options.path ?? '/socket.io/',
      transports: options.transports ?? ['websocket', 'polling'],
      limits,
      getToken: options.getToken,
      program: options.program,
      resume: () => this.#rooms.positions(),
      scheduler,
      logger,
      onState: (state) => {
        if (state.state === 'ended') {
          this.#stopWatching();
          this.#details.close();
          this.#status.close();
        }
        this.#showState();
      },
      onSession: (session) => {
        // First, so that an invisible user never appears to others.
        this.#status.onSession();
        this.#user = session.user;
        this.#features = session.features ?? [];
        events.emit('session', session);
        this.#rooms.onSession(session);
        this.#sender.onSession();
      },
      onLost: (how) => {
        this.#rooms.onLost(how);
        this.#presence.onLost();
        this.#status.onLost();
        this.#sender.onLost();
      },
      onNotice: (notice) => events.emit('notice', notice),
      on: {
        message: (entry) => this.#rooms.onMessage(entry),
        typing: (event) => events.emit('typing', event),
        presence: (diff) => this.#presence.onDiff(diff),
        'room:event': (event) => this.#rooms.onRoomEvent(event),
        receipt: (receipt) => events.emit('receipt', receipt),
        inbox: (event) => events.emit('inbox', event),
      },
    });
  }

  get connection(): ConnectionState {
    const { state } = this.#connection;
    return state.state === 'connected' && this.#late.isLate ? { state: 'late' } : state;
  }

  get user(): UserRef | null {
    return this.#user;
  }

  get features(): readonly string[] {
    return this.#features;
  }

  readonly connect = (): void => {
    const { state } = this.connection;
    this.#connection.connect();
    if (state === 'ended') return;
    this.#stopWatching();
    this.#stopWatching = watchWake({
      scheduler: this.#scheduler,
      onOnline: () => this.#connection.retryNow(),
      onOffline: () => this.#connection.suspect(),
      onWake: () => this.#connection.check(),
    });
  };

  readonly retryNow = (): void => this.#connection.retryNow();

  readonly close = (): void => {
    this.#stopWatching();
    this.#sender.close();
    this.#late.close();
    this.#connection.close();
  };

  readonly join = (room: string, { limit = LIMITS.pageEntriesDefault, presence = false }: JoinOptions = {}): void => {
    assertRoomId(room);
    this.#rooms.join(room, { limit });
    this.#presence.want(room, { isWanted: presence, isReady: this.#rooms.isReady(room) });
  };

  readonly leave = (room: string): void => {
    this.#end(room);
    this.#rooms.leave(room);
  };

  readonly status = (room: string): RoomStatus | null => this.#rooms.status(room);

  readonly position = (room: string): Position | null => this.#rooms.position(room);

  readonly details = (room: string): RoomDetails | null => this.#details.get(room);

  readonly send: ChatClient['send'] = (room, text, options = {}) => {
    assertRoomId(room);
    assertText(text);
    return this.#sender.send(room, { text, ...options });
  };

  readonly act: ChatClient['act'] = (room, act) => {
    assertRoomId(room);
    if (act.type === 'edit') assertText(act.text);
    return this.#sender.act(room, act);
  };

  readonly retry = (clientMsgId: string): void => this.#sender.retry(clientMsgId);

  readonly discard = (clientMsgId: string): void => this.#sender.discard(clientMsgId);

  readonly pending = (): OutgoingMessage[] => this.#sender.pending();

  readonly pendingActs = (): OutgoingAct[] => this.#sender.pendingActs();

  readonly readHistory = (history: HistoryRequest): Promise<HistoryData> =>
    promised((done) => this.#rooms.readPage(history, done));

  readonly readMessages = (messages: MessagesRequest): Promise<MessagesData> =>
    promised((done) => this.#rooms.readMessages(messages, done));

  readonly search = (query: SearchRequest): Promise<SearchData> =>
    promised((done) => this.#connection.request('search', query, done));

  readonly setTyping: ChatClient['setTyping'] = (room, active, thread) =>
    this.#connection.sendEphemeral('typing', { room, active, ...(thread === undefined ? {} : { thread }) });

  #showState(): void {
    const state = this.connection;
    if (this.#shown !== null && sameState(this.#shown, state)) return;
    this.#shown = state;
    this.#events.emit('connection', state);
  }

  #end(room: string): void {
    this.#details.forget(room);
    this.#presence.forget(room);
  }
}
