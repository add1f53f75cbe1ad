/**
 * A client as a careful application writes it on plain `socket.io-client`: it carries its positions, obeys notices and `retryAfterMs`,
 * sends again with the same `clientMsgId`, and tells the judge of everything that it sees.
 */
import type { Ack, ClientRequests, Entry, Notice, Position, RoomEvent, SessionData } from '@maru/protocol';
import { io, type Socket } from 'socket.io-client';
import { sleep } from '../support/poll.ts';
import type { RoomJudge } from './room-judge.ts';

/** What one send came to, for the times that the report tells. */
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
  /** It comes back at the pace of `socket.io-client`'s own defaults (after 0.5 to 1.5 s at first), not sooner. */
  patient?: boolean;
  rooms: ReadonlyMap<string, RoomJudge>;
  onAnswer: (answer: Answer) => void;
  onViolation: (violation: string) => void;
}

/** A connection that was lost, and the way back. */
export interface Return {
  lostAtMs: number;
  /** When the next session had come. */
  backAtMs: number;
  /** How much of that the client waited by itself before it tried. */
  pausedMs: number;
  /** How often it tried. */
  tries: number;
  /** It closed the connection itself, because it was advised to or was not answered. */
  left: boolean;
}

/** A notice that says when to reconnect. */
export interface Advice {
  code: Notice['code'];
  atMs: number;
  reconnectInMs: number;
}

type Reply<T> = Ack<T> | 'silent' | 'cut';

const ANSWER_TIMEOUT_MS = 5_000;
/** So many requests in a row without an answer, and the client looks for another node. */
const SILENCES_MAX = 2;
const RETRY_MS = 300;
const WINDOW = 4;
/** A sender that is so far behind composes nothing new: what waits at the end of an outage is the crowd's to bear as well. */
const OUTBOX_MAX = 6;

/** How a client comes back that cannot wait. */
const EAGER = { timeout: 4_000, reconnectionDelay: 200, reconnectionDelayMax: 2_000 };

/** Milliseconds since 1970 that never go back. */
export const now = (): number => performance.timeOrigin + performance.now();

export class Member {
  readonly user: string;
  readonly socket: Socket;
  /** The session has come, and every room was joined or resumed. */
  ready = false;
  /** When the newest notice of each kind came. */
  readonly noticedAtMs = new Map<Notice['code'], number>();
  connectedAtMs = 0;
  connects = 0;
  losses = 0;
  readonly returns: Return[] = [];
  readonly advices: Advice[] = [];
  /** The connection that was lost last, while there is no other; `sinceMs` where it waits before it tries again. */
  #lost: { atMs: number; left: boolean; tries: number; pausedMs: number; sinceMs: number | undefined } | undefined;
  readonly #options: MemberOptions;
  readonly #outbox: Array<{
    room: string;
    clientMsgId: string;
    text: string;
    done: (seq: Position | undefined) => void;
  }> = [];
  readonly #underWay = new Set<(reply: 'cut') => void>();
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
    this.socket.on('connect', () => {
      this.connects++;
      this.connectedAtMs = now();
    });
    this.socket.io.on('reconnect_attempt', () => {
      if (this.#lost?.sinceMs === undefined) return;
      this.#lost.tries++;
      this.#lost.pausedMs += now() - this.#lost.sinceMs;
      this.#lost.sinceMs = undefined;
    });
    this.socket.io.on('reconnect_error', () => {
      if (this.#lost !== undefined) this.#lost.sinceMs = now();
    });
    this.socket.on('disconnect', (reason) => this.#onDisconnect(reason));
    this.socket.on('connect_error', (error) => {
      // A client that was refused stays away for good.
      if (!this.socket.active) options.onViolation(`${this.user} was refused: ${error.message}`);
    });
    this.socket.on('session', (session: SessionData) => void this.#onSession(session));
    this.socket.on('message', (entry: Entry) => this.#judge(entry.room)?.received(this.user, entry));
    this.socket.on('room:event', (event: RoomEvent) => {
      if (event.type === 'epoch') this.#judge(event.room)?.told(this.user, event);
    });
    this.socket.on('notice', (notice: Notice) => this.#onNotice(notice));
  }

  connect(): void {
    this.socket.connect();
  }

  /** It was told that the store is ill, and not that it is well again. */
  get degraded(): boolean {
    const atMs = this.noticedAtMs.get('degraded') ?? 0;
    return atMs >= this.connectedAtMs && atMs > (this.noticedAtMs.get('recovered') ?? 0);
  }

  /** Messages composed and not acknowledged yet. */
  get pending(): number {
    return this.#outbox.length + this.#senders;
  }

  /**
   * Composes a message. Resolves with its place once it is acknowledged; undefined where it was given up, or where the outbox is full, which
   * counts for nothing with one that `must` be sent.
   */
  send(room: string, must = false): Promise<Position | undefined> {
    if ((this.pending >= OUTBOX_MAX && !must) || this.#closed) return Promise.resolve(undefined);
    const number = ++this.#composed;
    return new Promise((done) => {
      this.#outbox.push({ room, clientMsgId: `${this.user}-${number}`, text: `${number} of ${this.user}`, done });
      if (this.#senders < WINDOW) void this.#work();
    });
  }

  /** One request, given up where the connection ends or no answer comes in time. */
  request<N extends keyof ClientRequests>(
    event: N,
    payload: ClientRequests[N][0],
    onLate?: (ack: Ack<ClientRequests[N][1]>) => void,
  ): Promise<Reply<ClientRequests[N][1]>> {
    if (!this.socket.connected) return Promise.resolve('cut');
    return new Promise((resolve) => {
      const settle = (reply: Reply<ClientRequests[N][1]>) => {
        clearTimeout(timer);
        this.#underWay.delete(settle);
        resolve(reply);
      };
      const timer = setTimeout(() => settle('silent'), ANSWER_TIMEOUT_MS);
      this.#underWay.add(settle);
      this.socket.emit(event, payload, (ack: Ack<ClientRequests[N][1]>) => {
        if (this.#underWay.has(settle)) settle(ack);
        else onLate?.(ack);
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.socket.close();
  }

  #judge(room: string): RoomJudge | undefined {
    return this.#options.rooms.get(room);
  }

  #positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const [room, judge] of this.#options.rooms) {
      const position = judge.position(this.user);
      if (position !== undefined) positions[room] = { ...position };
    }
    return positions;
  }

  async #onSession(session: SessionData): Promise<void> {
    const connection = this.connects;
    const join: string[] = [];
    for (const [room, judge] of this.#options.rooms) {
      const answer = session.rooms[room];
      if (this.#asked[room] === undefined) join.push(room);
      else if (answer === undefined)
        this.#options.onViolation(`I2: ${this.user} asked to resume ${room} and got no answer`);
      else if ('error' in answer)
        this.#options.onViolation(`I2: ${this.user} could not resume ${room}: ${answer.error.code}`);
      else judge.resumed(this.user, answer);
    }
    for (const room of join) if (!(await this.#join(room, connection))) return;
    if (connection !== this.connects || !this.socket.connected) return;
    this.ready = true;
    if (this.#lost === undefined) return;
    const { atMs: lostAtMs, pausedMs, tries, left } = this.#lost;
    this.returns.push({ lostAtMs, backAtMs: now(), pausedMs, tries, left });
    this.#lost = undefined;
  }

  async #join(room: string, connection: number): Promise<boolean> {
    while (connection === this.connects && !this.#closed) {
      const ack = await this.request('room:join', { room, limit: 1 });
      if (ack === 'cut') return false;
      if (ack !== 'silent' && ack.ok) {
        this.#judge(room)?.joined(this.user, ack.data);
        return true;
      }
      await sleep(ack === 'silent' ? RETRY_MS : (ack.error.retryAfterMs ?? RETRY_MS));
    }
    return false;
  }

  #onDisconnect(reason: string): void {
    this.ready = false;
    this.#silences = 0;
    // Whoever follows an advice to move, which a drain or a new node brings a while later, loses nothing.
    const left = reason === 'io client disconnect';
    if (!left) this.losses++;
    this.#lost ??= { atMs: now(), left, tries: 0, pausedMs: 0, sinceMs: now() };
    for (const settle of [...this.#underWay]) settle('cut');
    if (reason !== 'io server disconnect' || this.#closed) return;
    this.#options.onViolation(`${this.user} was sent away`);
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

  /** Sends until it is stored, with the same id. */
  async #deliver({ room, clientMsgId, text }: { room: string; clientMsgId: string; text: string }) {
    const judge = this.#judge(room);
    while (!this.#closed && judge !== undefined) {
      if (!this.ready) {
        await sleep(20);
        continue;
      }
      const connection = `${this.user}#${this.connects}`;
      const verdict = judge.sent({ user: this.user, connection, clientMsgId, text });
      const sentAtMs = Date.now();
      // An answer that comes after one stopped waiting for it is an answer all the same.
      const ack = await this.request('message:send', { room, clientMsgId, text }, (late) => {
        if (late.ok) verdict.stored(late.data);
      });
      const told = (outcome: string) =>
        this.#options.onAnswer({ member: this.user, sentAtMs, tookMs: Date.now() - sentAtMs, outcome });
      if (ack === 'silent' || ack === 'cut') {
        told(ack);
        if (ack === 'silent' && ++this.#silences >= SILENCES_MAX) this.#reconnect();
        continue;
      }
      this.#silences = 0;
      if (ack.ok) {
        verdict.stored(ack.data);
        told(ack.data.duplicate ? 'duplicate' : 'stored');
        return { epoch: ack.data.epoch, seq: ack.data.seq };
      }
      verdict.refused();
      told(ack.error.code);
      if (!ack.error.retryable) {
        this.#options.onViolation(
          `${this.user} had a message refused for good: ${ack.error.code} ${ack.error.message}`,
        );
        return undefined;
      }
      await sleep(ack.error.retryAfterMs ?? RETRY_MS);
    }
    return undefined;
  }
}
