/**
 * A client as a careful application writes it on plain `socket.io-client`: it resumes with its
 * positions, obeys notices and `retryAfterMs`, retries with the same `clientMsgId`, and reports all
 * that it sees to the room checkers. Faults use this client, and not the kit's `CarefulClient`,
 * because it is the library that users have and because a part of the clients uses long-polling.
 */
import type { Ack, ClientRequests, Entry, Notice, Position, RoomEvent, SessionData } from '@maru/protocol';
import { io, type Socket } from 'socket.io-client';
import { sleep } from '../support/poll.ts';
import { plainMessage } from './acts.ts';
import type { MemberRoom } from './member-room.ts';
import { type Answer, Outbox, type Reply } from './outbox.ts';
import { type Return, ReturnTimer } from './return-timer.ts';
import type { Look, Work } from './work.ts';

export interface MemberOptions {
  endpoint: string;
  user: string;
  token: string;
  transport: 'websocket' | 'polling';
  /** It reconnects with the default back-off of `socket.io-client` (at first 0.5 to 1.5 s). */
  patient?: boolean;
  rooms: ReadonlyMap<string, MemberRoom>;
  onAnswer: (answer: Answer) => void;
  /** A request that stores nothing was answered. */
  onLook: (answer: Answer) => void;
  onViolation: (violation: string) => void;
}

/** A notice that contains the time to reconnect. */
export interface Advice {
  code: Notice['code'];
  atMs: number;
  reconnectInMs: number;
}

const ANSWER_TIMEOUT_MS = 5_000;
/** After this many consecutive requests without an answer, the client changes to another node. */
const SILENCES_MAX = 2;
const RETRY_MS = 300;
const JOIN_ENTRIES = 50;

/** A short back-off. */
const EAGER = { timeout: 4_000, reconnectionDelay: 200, reconnectionDelayMax: 2_000 };

/** Milliseconds since 1970 that never go back. */
export const now = (): number => performance.timeOrigin + performance.now();

export class Member {
  readonly user: string;
  readonly socket: Socket;
  /** The session has started, and every room is joined or resumed. */
  ready = false;
  /** When the newest notice of each kind came. */
  readonly noticedAtMs = new Map<Notice['code'], number>();
  connectedAtMs = 0;
  connects = 0;
  losses = 0;
  readonly returns: Return[] = [];
  readonly advices: Advice[] = [];
  readonly #timer = new ReturnTimer();
  readonly #options: MemberOptions;
  readonly #outbox: Outbox;
  readonly #open = new Set<(reply: 'cut') => void>();
  #asked: Record<string, Position> = {};
  #silences = 0;
  #closed = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.user = options.user;
    this.socket = io(options.endpoint, {
      forceNew: true,
      autoConnect: false,
      transports: [options.transport],
      ...(options.patient ? {} : EAGER),
      auth: (give) => {
        this.#asked = this.#positions();
        for (const { checker } of options.rooms.values()) checker.asks(this.user);
        give({ token: options.token, resume: this.#asked });
      },
    });
    this.#outbox = new Outbox({
      ...options,
      isReady: () => this.ready,
      connection: () => `${this.user}#${this.connects}`,
      request: async (event, payload, onAnswer) => {
        const reply = await this.request(event, payload, onAnswer);
        if (reply === 'silent' && ++this.#silences >= SILENCES_MAX) this.#reconnect();
        if (typeof reply === 'object') this.#silences = 0;
        return reply;
      },
    });
    this.#listen();
  }

  connect(): void {
    this.socket.connect();
  }

  /** It was notified of `degraded`, and not of `recovered` since. */
  get degraded(): boolean {
    const atMs = this.noticedAtMs.get('degraded') ?? 0;
    return atMs >= this.connectedAtMs && atMs > (this.noticedAtMs.get('recovered') ?? 0);
  }

  /** Composed messages and acts without an outcome. */
  get pending(): number {
    return this.#outbox.pending;
  }

  /** The text of its next message. Each text is different. */
  get nextText(): string {
    return this.#outbox.nextText;
  }

  /** Like `perform`. A message that `must` be sent ignores a full outbox. */
  send(room: string, must = false): Promise<Position | undefined> {
    return this.perform(room, plainMessage(this.nextText), must);
  }

  /** Sends. Resolves with the position; undefined: refused permanently, or the outbox is full. */
  perform(room: string, work: Work, must = false): Promise<Position | undefined> {
    return this.#outbox.perform(room, work, must);
  }

  /** A request that stores nothing. It is not repeated after a failure. */
  async look(room: string, look: Look): Promise<void> {
    const { kind, event, payload } = look;
    const of = this.#room(room);
    if (of === undefined || !this.ready) return;
    const sentAtMs = Date.now();
    const answered = (ack: Ack<unknown>) => {
      if (!ack.ok) return;
      of.looked(look, ack.data);
      this.#options.onLook({ member: this.user, kind, sentAtMs, tookMs: Date.now() - sentAtMs, outcome: 'read' });
    };
    await this.request(event, { ...payload, room } as never, answered);
  }

  /**
   * One request. Resolves with `cut` if the connection ends, and with `silent` after the timeout.
   * `onAnswer` is called before the next event, also for a late answer.
   */
  request<N extends keyof ClientRequests>(
    event: N,
    payload: ClientRequests[N][0],
    onAnswer?: (ack: Ack<ClientRequests[N][1]>) => void,
  ): Promise<Reply<ClientRequests[N][1]>> {
    if (!this.socket.connected) return Promise.resolve('cut');
    return new Promise((resolve) => {
      const settle = (reply: Reply<ClientRequests[N][1]>) => {
        clearTimeout(timer);
        this.#open.delete(settle);
        resolve(reply);
      };
      const timer = setTimeout(() => settle('silent'), ANSWER_TIMEOUT_MS);
      this.#open.add(settle);
      this.socket.emit(event, payload, (ack: Ack<ClientRequests[N][1]>) => {
        onAnswer?.(ack);
        if (this.#open.has(settle)) settle(ack);
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#outbox.close();
    this.socket.close();
  }

  #listen(): void {
    const { socket } = this;
    socket.on('connect', () => {
      this.connects++;
      this.connectedAtMs = now();
    });
    socket.io.on('reconnect_attempt', () => this.#timer.attempts(now()));
    socket.io.on('reconnect_error', () => this.#timer.attemptFailed(now()));
    socket.on('disconnect', (reason) => this.#onDisconnect(reason));
    socket.on('connect_error', (error) => {
      // A refused client does not reconnect.
      if (!socket.active) this.#options.onViolation(`${this.user} was refused: ${error.message}`);
    });
    socket.on('session', (session: SessionData) => void this.#onSession(session));
    socket.on('message', (entry: Entry) => this.#room(entry.room)?.received(entry));
    socket.on('room:event', (event: RoomEvent) => {
      if (event.type === 'epoch') this.#room(event.room)?.epochChanged(event);
    });
    socket.on('notice', (notice: Notice) => this.#onNotice(notice));
  }

  #room(room: string): MemberRoom | undefined {
    return this.#options.rooms.get(room);
  }

  #positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const [room, { position }] of this.#options.rooms) {
      if (position !== undefined) positions[room] = position;
    }
    return positions;
  }

  async #onSession(session: SessionData): Promise<void> {
    const connection = this.connects;
    const { onViolation, rooms } = this.#options;
    for (const [room, of] of rooms) {
      if (this.#asked[room] === undefined) continue;
      const answer = session.rooms[room];
      if (answer === undefined) onViolation(`I2: ${this.user} asked to resume ${room} and got no answer`);
      else if ('error' in answer) onViolation(`I2: ${this.user} could not resume ${room}: ${answer.error.code}`);
      else of.resumed(answer);
    }
    for (const [room, { joins }] of rooms)
      if (joins && this.#asked[room] === undefined && !(await this.#join(room, connection))) return;
    if (!(await this.#follow(connection))) return;
    if (connection !== this.connects || !this.socket.connected) return;
    this.ready = true;
    const back = this.#timer.back(now());
    if (back !== undefined) this.returns.push(back);
  }

  async #join(room: string, connection: number): Promise<boolean> {
    const of = this.#room(room);
    if (of?.isOwner && !of.made.done) {
      // A conflict means that an earlier request succeeded, but its answer was lost.
      const created = await this.#insist('room:create', { room, title: room }, connection);
      if (created === 'cut') return false;
      of.made.done = true;
    }
    if (of === undefined || !(await this.#waitForRoom(of, connection))) return false;
    const joined = await this.#insist('room:join', { room, limit: JOIN_ENTRIES }, connection, (ack) => {
      if (ack.ok) of?.joined(ack.data);
    });
    return joined !== 'cut';
  }

  /** @returns false if the connection ended before the owner created the room */
  async #waitForRoom({ made }: MemberRoom, connection: number): Promise<boolean> {
    while (!made.done && connection === this.connects && !this.#closed) await sleep(RETRY_MS);
    return made.done;
  }

  /** Follows its rooms, so that they are in its room list. */
  async #follow(connection: number): Promise<boolean> {
    for (const [room, of] of this.#options.rooms) {
      if (of.follows) continue;
      if (!(await this.#waitForRoom(of, connection))) return false;
      const ack = await this.#insist('room:follow', { room, active: true }, connection);
      if (ack === 'cut') return false;
      of.follows = ack.ok;
    }
    return true;
  }

  /** Repeats a request on this connection until it succeeds or is refused permanently. */
  async #insist<N extends keyof ClientRequests>(
    event: N,
    payload: ClientRequests[N][0],
    connection: number,
    onAnswer?: (ack: Ack<ClientRequests[N][1]>) => void,
  ): Promise<Ack<ClientRequests[N][1]> | 'cut'> {
    while (connection === this.connects && !this.#closed) {
      const ack = await this.request(event, payload, onAnswer);
      if (ack === 'cut' || (ack !== 'silent' && (ack.ok || !ack.error.retryable))) return ack;
      await sleep(ack === 'silent' ? RETRY_MS : (ack.error.retryAfterMs ?? RETRY_MS));
    }
    return 'cut';
  }

  #onDisconnect(reason: string): void {
    this.ready = false;
    this.#silences = 0;
    // A client that follows the advice of a draining or a new node loses nothing.
    const left = reason === 'io client disconnect';
    if (!left) this.losses++;
    this.#timer.disconnected(now(), left);
    for (const settle of [...this.#open]) settle('cut');
    if (reason !== 'io server disconnect' || this.#closed) return;
    this.#options.onViolation(`${this.user} was disconnected by the server`);
    this.socket.connect();
  }

  #onNotice({ code, reconnectInMs }: Notice): void {
    this.noticedAtMs.set(code, now());
    if (reconnectInMs === undefined) return;
    this.advices.push({ code, atMs: now(), reconnectInMs });
    const connection = this.connects;
    setTimeout(() => {
      if (connection === this.connects) this.#reconnect();
    }, reconnectInMs);
  }

  #reconnect(): void {
    if (this.#closed) return;
    this.socket.disconnect();
    this.socket.connect();
  }
}
