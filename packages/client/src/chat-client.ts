/** The client's public interface. Combines connection, rooms, sender and presence. */
import type { ClientRequests, HistoryData, MessagesData, Position, Status, UserRef } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import type { Done, Request } from './ack.ts';
import { Connection } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import { DetailsBook } from './details-book.ts';
import { createEmitter, type Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingAct, OutgoingMessage } from './events.ts';
import { type ClientLimits, DEFAULT_LIMITS } from './limits.ts';
import { type ClientLogger, silentLogger } from './logger.ts';
import { createModeration, type Moderation } from './moderation.ts';
import { createOutboxStore, type OutboxStorage } from './outbox-store.ts';
import type { MessageAct, NewMessage } from './outgoing.ts';
import { createPresenceWatcher, type PresenceWatcher } from './presence-watcher.ts';
import { type RetriedRequest, retriedRequest } from './retried.ts';
import type { RoomDetails } from './room-details.ts';
import { Rooms } from './rooms.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';
import { Sender } from './sender.ts';
import { assertRoomId, assertText } from './text.ts';
import type { GetToken } from './token.ts';
import type { Transport } from './transport-choice.ts';
import { watchWake } from './wake.ts';

export interface ChatClientOptions extends Partial<ClientLimits> {
  /** The public address, such as `https://chat.example`. */
  url: string;
  getToken: GetToken;
  /** Keeps the outbox across reloads. Without it, the outbox is lost. */
  storage?: OutboxStorage;
  logger?: ClientLogger;
  /** Tried in this order. */
  transports?: Transport[];
  path?: string;
  scheduler?: Scheduler;
}

export interface JoinOptions {
  /** Number of newest entries to load, 1 to 200. */
  limit?: number;
  /** Whether to watch the room's presence. */
  presence?: boolean;
}

export interface HistoryRequest {
  room: string;
  /** `before` or `after`, both exclusive. Without either: the newest entries. */
  before?: number;
  after?: number;
  limit?: number;
  /** Rejects `conflict` if the log has another epoch. */
  epoch?: string;
}

export type MessagesRequest = ClientRequests['messages:read'][0];
export type ListRequest = 'room:create' | 'room:follow' | 'room:read' | 'room:readers' | 'rooms:mine';

export interface ChatClient {
  /** Returns a function that removes the listener. */
  on: Emitter<ClientEvents>['on'];
  readonly connection: ConnectionState;
  /** The own user; null before the first session. */
  readonly user: UserRef | null;
  /** What the cluster has, for example `guests`. Empty before the first session. */
  readonly features: readonly string[];
  connect(): void;
  /**
   * The network is back: retries now, and checks an open connection. Browsers do it by `online`.
   */
  retryNow(): void;
  /** Ends the client for good. The last event is `connection`. */
  close(): void;
  /**
   * Joins the room, again after each reconnect, until it is left, refused or removed. @throws
   * MaruError `invalid`
   */
  join(room: string, options?: JoinOptions): void;
  leave(room: string): void;
  /** Up to here the room's entries were delivered; null if none was. */
  position(room: string): Position | null;
  /** Null unless the room is joined, or was before the connection was lost. */
  details(room: string): RoomDetails | null;
  /** Acts on rooms and members, and lists for moderators. */
  readonly moderation: Moderation;
  /**
   * Queues a text. `outgoing` events report its outcome. @throws MaruError `invalid`, `too_large`,
   * `unavailable` (outbox full)
   */
  send(room: string, text: string, options?: Omit<NewMessage, 'text'>): OutgoingMessage;
  /**
   * Queues a change of a message, behind what already waits for the room. `act` events report its
   * outcome. @throws MaruError like `send`
   */
  act(room: string, act: MessageAct): OutgoingAct;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  pending(): OutgoingMessage[];
  /**
   * One page, ascending. On a slow link it holds fewer entries than `limit`. Rejects with
   * MaruError.
   */
  readHistory(request: HistoryRequest): Promise<HistoryData>;
  /** The same for messages only, which are as they were when the log ended at `head`. */
  readMessages(request: MessagesRequest): Promise<MessagesData>;
  /**
   * A request about lists and read positions. It changes nothing more when it comes twice, and is
   * sent again, four times at most, if an answer is lost. Rejects with MaruError.
   */
  request<N extends ListRequest>(name: N, payload: ClientRequests[N][0]): Promise<ClientRequests[N][1]>;
  /** An ephemeral event, which may be lost. `thread`: the root of the thread. */
  setTyping(room: string, active: boolean, thread?: number): void;
  /** Rejects with MaruError. */
  setStatus(status: Status, text?: string): Promise<void>;
}

const limitsOf = (options: Partial<ClientLimits>): ClientLimits => {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as Array<keyof ClientLimits>) {
    const value = options[name];
    if (value !== undefined) Object.assign(limits, { [name]: value });
  }
  return limits;
};

export function createChatClient(options: ChatClientOptions): ChatClient {
  return new Client(options);
}

/** Its methods are bound, so that hosts may pass them on as functions. */
class Client implements ChatClient {
  readonly on: ChatClient['on'];
  readonly moderation: Moderation;
  readonly request: RetriedRequest;
  readonly #connection: Connection;
  readonly #rooms: Rooms;
  readonly #sender: Sender;
  readonly #presence: PresenceWatcher;
  readonly #details: DetailsBook;
  /** Rooms whose presence is wanted. */
  readonly #withPresence = new Set<string>();
  readonly #scheduler: Scheduler;
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
    this.moderation = createModeration(tools);
    this.request = retriedRequest(tools);
    this.#presence = createPresenceWatcher(tools);
    this.#details = new DetailsBook({ ...tools, onHead: (room, position) => this.#rooms.expect(room, position) });
    this.#sender = new Sender({
      ...tools,
      store: createOutboxStore(options.storage ?? null, logger, scheduler.now),
      giveUpAfterMs: limits.giveUpAfterMs,
      onStored: (room, { epoch, seq }) => this.#rooms.expect(room, { epoch, head: seq }),
    });
    this.#rooms = new Rooms({
      ...tools,
      limits,
      onReady: (room) => {
        if (this.#withPresence.has(room)) this.#presence.start(room);
        this.#details.onReady(room);
      },
      onGone: (room, error) => {
        this.#end(room);
        this.#sender.endRoom(room, error);
      },
      onJoined: (data) => this.#details.onJoined(data),
      onSkipped: (room) => this.#details.onSkipped(room),
      // Before the host gets the entries, so that no message is shown both as stored and as
      // sending.
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
      resume: () => this.#rooms.positions(),
      scheduler,
      logger,
      onState: (state) => {
        if (state.state === 'ended') {
          this.#stopWatching();
          this.#details.close();
        }
        events.emit('connection', state);
      },
      onSession: (session) => {
        this.#user = session.user;
        this.#features = session.features ?? [];
        events.emit('session', session);
        this.#rooms.onSession(session);
        this.#sender.onSession();
      },
      onLost: (how) => {
        this.#rooms.onLost(how);
        this.#presence.onLost();
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
    return this.#connection.state;
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
      onWake: () => this.#connection.check(),
    });
  };

  readonly retryNow = (): void => this.#connection.retryNow();

  readonly close = (): void => {
    this.#stopWatching();
    this.#sender.close();
    this.#connection.close();
  };

  readonly join = (room: string, { limit = LIMITS.pageEntriesDefault, presence = false }: JoinOptions = {}): void => {
    assertRoomId(room);
    if (presence) this.#withPresence.add(room);
    this.#rooms.join(room, { limit });
  };

  readonly leave = (room: string): void => {
    this.#end(room);
    this.#rooms.leave(room);
  };

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

  readonly readHistory = (history: HistoryRequest): Promise<HistoryData> =>
    promised((done) => this.#rooms.readPage(history, done));

  readonly readMessages = (messages: MessagesRequest): Promise<MessagesData> =>
    promised((done) => this.#rooms.readMessages(messages, done));

  readonly setTyping: ChatClient['setTyping'] = (room, active, thread) =>
    this.#connection.sendEphemeral('typing', { room, active, ...(thread === undefined ? {} : { thread }) });

  readonly setStatus = async (status: Status, text?: string): Promise<void> => {
    const payload = text === undefined ? { status } : { status, text };
    await promised((done) => this.#connection.request('presence:set', payload, done));
  };

  #end(room: string): void {
    this.#details.forget(room);
    this.#withPresence.delete(room);
    this.#presence.stop(room);
  }
}

const promised = <T>(start: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => start((result) => (result.ok ? resolve(result.data) : reject(result.error))));
