/**
 * A client as a careful application writes it on plain `socket.io-client`: it resumes with its
 * positions, obeys notices and `retryAfterMs`, retries with the same `clientMsgId`, and reports all
 * that it sees to the room checkers. Faults use this client, and not the kit's `CarefulClient`,
 * because it is the library that users have and because a part of the clients uses long-polling.
 */
import type { Ack, ClientRequests, Entry, Notice, Position, RoomEvent, SessionData } from '@maru/protocol';
import type { RoomChecker } from '@maru/testkit/checker/room-checker';
import { io, type Socket } from 'socket.io-client';
import { sleep } from '../support/poll.ts';
import { type Return, ReturnTimer } from './return-timer.ts';

/** The outcome of one attempt to send. */
export interface Answer {
  member: string;
  sentAtMs: number;
  tookMs: number;
  outcome: 'stored' | 'duplicate' | 'silent' | 'cut' | (string & {});
}

export interface MemberOptions {
  endpoint: string;
  user: string;
  token: string;
  transport: 'websocket' | 'polling';
  /** It reconnects with the default back-off of `socket.io-client` (at first 0.5 to 1.5 s). */
  patient?: boolean;
  rooms: ReadonlyMap<string, RoomChecker>;
  onAnswer: (answer: Answer) => void;
  onViolation: (violation: string) => void;
}

/** A notice that says when to reconnect. */
export interface Advice {
  code: Notice['code'];
  atMs: number;
  reconnectInMs: number;
}

interface Message {
  room: string;
  clientMsgId: string;
  text: string;
  done: (place: Position | undefined) => void;
}

type Reply<T> = Ack<T> | 'silent' | 'cut';

const ANSWER_TIMEOUT_MS = 5_000;
/** After this many requests in a row without an answer, the client looks for another node. */
const SILENCES_MAX = 2;
const RETRY_MS = 300;
const READY_CHECK_MS = 20;
const WINDOW = 4;
/**
 * A client composes nothing new while this many messages wait: they would overload the end of an
 * outage.
 */
const OUTBOX_MAX = 6;

/** A short back-off. */
const EAGER = { timeout: 4_000, reconnectionDelay: 200, reconnectionDelayMax: 2_000 };

/** Milliseconds since 1970 that never go back. */
export const now = (): number => performance.timeOrigin + performance.now();

export class Member {
  readonly user: string;
  readonly socket: Socket;
  /** The session has come, and every room is joined or resumed. */
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
  readonly #outbox: Message[] = [];
  readonly #open = new Set<(reply: 'cut') => void>();
  #asked: Record<string, Position> = {};
  #composed = 0;
  #senders = 0;
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
        give({ token: options.token, resume: this.#asked });
      },
    });
    this.#listen();
  }

  connect(): void {
    this.socket.connect();
  }

  /** It was notified of `degraded` and not `recovered` since. */
  get degraded(): boolean {
    const atMs = this.noticedAtMs.get('degraded') ?? 0;
    return atMs >= this.connectedAtMs && atMs > (this.noticedAtMs.get('recovered') ?? 0);
  }

  /** Messages that are composed and not acknowledged. */
  get pending(): number {
    return this.#outbox.length + this.#senders;
  }

  /**
   * Composes a message. Resolves with its place when it is acknowledged; with undefined if it was
   * given up or if the outbox is full. A message that `must` be sent ignores a full outbox.
   */
  send(room: string, must = false): Promise<Position | undefined> {
    if ((this.pending >= OUTBOX_MAX && !must) || this.#closed) return Promise.resolve(undefined);
    const number = ++this.#composed;
    return new Promise((done) => {
      this.#outbox.push({ room, clientMsgId: `${this.user}-${number}`, text: `${number} of ${this.user}`, done });
      if (this.#senders < WINDOW) void this.#work();
    });
  }

  /**
   * One request. Resolves with `cut` if the connection ends, and with `silent` after the timeout.
   */
  request<N extends keyof ClientRequests>(
    event: N,
    payload: ClientRequests[N][0],
    onLate?: (ack: Ack<ClientRequests[N][1]>) => void,
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
        if (this.#open.has(settle)) settle(ack);
        else onLate?.(ack);
      });
    });
  }

  close(): void {
    this.#closed = true;
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
    socket.on('message', (entry: Entry) => this.#checker(entry.room)?.received(this.user, entry));
    socket.on('room:event', (event: RoomEvent) => {
      if (event.type === 'epoch') this.#checker(event.room)?.epochChanged(this.user, event);
    });
    socket.on('notice', (notice: Notice) => this.#onNotice(notice));
  }

  #checker(room: string): RoomChecker | undefined {
    return this.#options.rooms.get(room);
  }

  #positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const [room, checker] of this.#options.rooms) {
      const position = checker.position(this.user);
      if (position !== undefined) positions[room] = position;
    }
    return positions;
  }

  async #onSession(session: SessionData): Promise<void> {
    const connection = this.connects;
    const { onViolation, rooms } = this.#options;
    for (const [room, checker] of rooms) {
      if (this.#asked[room] === undefined) continue;
      const answer = session.rooms[room];
      if (answer === undefined) onViolation(`I2: ${this.user} asked to resume ${room} and got no answer`);
      else if ('error' in answer) onViolation(`I2: ${this.user} could not resume ${room}: ${answer.error.code}`);
      else checker.resumed(this.user, answer);
    }
    const toJoin = [...rooms.keys()].filter((room) => this.#asked[room] === undefined);
    for (const room of toJoin) if (!(await this.#join(room, connection))) return;
    if (connection !== this.connects || !this.socket.connected) return;
    this.ready = true;
    const back = this.#timer.back(now());
    if (back !== undefined) this.returns.push(back);
  }

  async #join(room: string, connection: number): Promise<boolean> {
    while (connection === this.connects && !this.#closed) {
      const ack = await this.request('room:join', { room, limit: 1 });
      if (ack === 'cut') return false;
      if (ack !== 'silent' && ack.ok) {
        this.#checker(room)?.joined(this.user, ack.data);
        return true;
      }
      await sleep(ack === 'silent' ? RETRY_MS : (ack.error.retryAfterMs ?? RETRY_MS));
    }
    return false;
  }

  #onDisconnect(reason: string): void {
    this.ready = false;
    this.#silences = 0;
    // A client that follows the advice of a drain or of a new node loses nothing.
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

  async #work(): Promise<void> {
    this.#senders++;
    for (let message = this.#outbox.shift(); message !== undefined; message = this.#outbox.shift())
      message.done(await this.#deliver(message));
    this.#senders--;
  }

  /** Sends the message with the same id until it is stored. */
  async #deliver(message: Message): Promise<Position | undefined> {
    const checker = this.#checker(message.room);
    while (!this.#closed && checker !== undefined) {
      if (!this.ready) {
        await sleep(READY_CHECK_MS);
        continue;
      }
      const ack = await this.#attempt(message, checker);
      if (ack === 'silent' || ack === 'cut') continue;
      if (ack.ok) return { epoch: ack.data.epoch, seq: ack.data.seq };
      if (!ack.error.retryable) {
        const { code, message: reason } = ack.error;
        this.#options.onViolation(`${this.user} had a message refused for good: ${code} ${reason}`);
        return undefined;
      }
      await sleep(ack.error.retryAfterMs ?? RETRY_MS);
    }
    return undefined;
  }

  async #attempt({ room, clientMsgId, text }: Message, checker: RoomChecker) {
    const connection = `${this.user}#${this.connects}`;
    const result = checker.sent({ user: this.user, connection, clientMsgId, text });
    const sentAtMs = Date.now();
    // An acknowledgement counts even after the timeout.
    const ack = await this.request('message:send', { room, clientMsgId, text }, (late) => {
      if (late.ok) result.stored(late.data);
    });
    const report = (outcome: string) =>
      this.#options.onAnswer({ member: this.user, sentAtMs, tookMs: Date.now() - sentAtMs, outcome });
    if (ack === 'silent' || ack === 'cut') {
      report(ack);
      if (ack === 'silent' && ++this.#silences >= SILENCES_MAX) this.#reconnect();
      return ack;
    }
    this.#silences = 0;
    if (ack.ok) result.stored(ack.data);
    else result.refused();
    report(ack.ok ? (ack.data.duplicate ? 'duplicate' : 'stored') : ack.error.code);
    return ack;
  }
}
