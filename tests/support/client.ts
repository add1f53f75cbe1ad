/**
 * A plain `socket.io-client` that remembers everything it received, in order. End-to-end tests use
 * it, and not the kit's client, because it is the library that users have and because it can also
 * poll.
 */
import assert from 'node:assert/strict';
import type { Ack, ClientRequests, Entry, ErrorBody, ErrorCode, Position, SessionData } from '@maru/protocol';
import { io, type Socket } from 'socket.io-client';
import { poll, sleep } from './poll.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_TIMEOUT_MS = 15_000;

export interface ConnectOptions {
  token?: unknown;
  /** Sent with every handshake. A function is called with the client each time. */
  resume?: unknown;
  /** The whole `auth` object, instead of `token` and `resume`. */
  auth?: Record<string, unknown>;
  transports?: Array<'websocket' | 'polling'>;
  /** Keeps cookies: on Node, `withCredentials` does it. */
  cookieJar?: boolean;
  headers?: Record<string, string>;
  reconnection?: boolean;
}

/** An event under its name, or an acknowledgement as `ack <event>`. */
export interface Received {
  name: string;
  payload: unknown;
  atMs: number;
}

export class Refused extends Error {
  readonly code: unknown;
  constructor(error: Error) {
    super(error.message);
    this.code = (error as { data?: { code?: unknown } }).data?.code;
  }
}

type EventName = keyof ClientRequests;
type DataOf<N extends EventName> = ClientRequests[N][1];

export class TestClient {
  readonly socket: Socket;
  readonly received: Received[] = [];
  readonly #byRoom = new Map<string, Entry[]>();
  /** Number of connects, and the reasons of disconnects. */
  connects = 0;
  readonly disconnects: string[] = [];

  constructor(endpoint: string, options: ConnectOptions) {
    const authNow = () =>
      options.auth ?? {
        token: options.token,
        ...(options.resume === undefined
          ? {}
          : { resume: typeof options.resume === 'function' ? options.resume(this) : options.resume }),
      };
    this.socket = io(endpoint, {
      forceNew: true,
      autoConnect: false,
      transports: options.transports ?? ['websocket'],
      withCredentials: options.cookieJar ?? false,
      reconnection: options.reconnection ?? false,
      ...(options.headers === undefined ? {} : { extraHeaders: options.headers }),
      auth: (give) => give(authNow()),
    });
    this.socket.onAny((name: string, payload: unknown) => {
      this.received.push({ name, payload, atMs: Date.now() });
      if (name === 'message') this.entries((payload as Entry).room).push(payload as Entry);
    });
    this.socket.on('connect', () => {
      this.connects++;
    });
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
  }

  /** The entries of a room from `message` events, live and resumed. */
  entries(room: string): Entry[] {
    let entries = this.#byRoom.get(room);
    if (entries === undefined) {
      entries = [];
      this.#byRoom.set(room, entries);
    }
    return entries;
  }

  seqs(room: string): number[] {
    return this.entries(room).map(({ seq }) => seq);
  }

  payloads<T = unknown>(name: string): T[] {
    return this.received.filter((item) => item.name === name).map((item) => item.payload as T);
  }

  /** The newest session. */
  get session(): SessionData {
    const session = this.payloads<SessionData>('session').at(-1);
    assert(session !== undefined, 'no session yet');
    return session;
  }

  get connected(): boolean {
    return this.socket.connected;
  }

  /** The position of the newest entry of each room, for `auth.resume`. */
  positions(rooms: Iterable<string> = this.#byRoom.keys()): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const room of rooms) {
      const last = this.entries(room).at(-1);
      if (last !== undefined) positions[room] = { epoch: last.epoch, seq: last.seq };
    }
    return positions;
  }

  /** Sends any event with any payload. Resolves with the unchanged acknowledgement. */
  raw(event: string, ...payload: unknown[]): Promise<Ack<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      this.socket.timeout(REQUEST_TIMEOUT_MS).emit(event, ...payload, (error: Error | null, ack: unknown) => {
        if (error !== null) {
          const how = this.connected ? '' : `; disconnected by ${this.disconnects.at(-1)}`;
          const notices = JSON.stringify(this.payloads('notice'));
          return reject(new Error(`no acknowledgement of ${event}${how}; notices ${notices}`, { cause: error }));
        }
        this.received.push({ name: `ack ${event}`, payload: ack, atMs: Date.now() });
        resolve(ack as Ack<Record<string, unknown>>);
      });
    });
  }

  async request<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<Ack<DataOf<N>>> {
    return (await this.raw(event, payload)) as unknown as Ack<DataOf<N>>;
  }

  /** Sends a request that must succeed. Resolves with its data. */
  async ok<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<DataOf<N>> {
    const ack = await this.request(event, payload);
    assert(ack?.ok === true, `${event} was refused: ${JSON.stringify(ack)}`);
    return ack.data;
  }

  /** Sends a request that must be refused with this code, in the shape of the contract. */
  async refused(code: ErrorCode, event: string, ...payload: unknown[]): Promise<{ retryAfterMs?: number }> {
    const ack = await this.raw(event, ...payload);
    assert(ack?.ok === false, `${event} should be ${code}, got ${JSON.stringify(ack)}`);
    const { error } = ack;
    assert.equal(error.code, code, JSON.stringify(ack));
    assert.equal(typeof error.message, 'string');
    assert.equal(error.retryable, ['rate_limited', 'internal', 'unavailable'].includes(code));
    return error;
  }

  /** Like `ok`, but retries after retryable refusals, for some seconds. */
  async patient<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<DataOf<N>> {
    const ack = await this.#obeying(event, payload, ({ retryable }) => retryable);
    assert(ack.ok, `${event} was refused: ${JSON.stringify(ack)}`);
    return ack.data;
  }

  /** Like `request`, but retries after `rate_limited`. */
  unhurried<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<Ack<DataOf<N>>> {
    return this.#obeying(event, payload, ({ code }) => code === 'rate_limited');
  }

  async #obeying<N extends EventName>(
    event: N,
    payload: ClientRequests[N][0],
    obeys: (error: ErrorBody) => boolean,
  ): Promise<Ack<DataOf<N>>> {
    const deadlineMs = Date.now() + RETRY_TIMEOUT_MS;
    for (;;) {
      const ack = await this.request(event, payload);
      if (ack.ok || !obeys(ack.error) || Date.now() > deadlineMs) return ack;
      const { code, retryAfterMs } = ack.error;
      assert(code !== 'rate_limited' || typeof retryAfterMs === 'number', 'rate_limited names retryAfterMs');
      await sleep(retryAfterMs ?? 100);
    }
  }

  /** Waits for this many entries of the room. */
  async until(room: string, count: number, timeoutMs = 10_000): Promise<Entry[]> {
    await poll(
      `${count} entries of the room; ${this.entries(room).length} came`,
      () => this.entries(room).length >= count,
      {
        timeoutMs,
      },
    );
    return this.entries(room);
  }

  async event<T>(name: string, matches: (payload: T) => boolean = () => true, timeoutMs = 10_000): Promise<T> {
    return poll(`the event ${name}`, () => this.payloads<T>(name).find(matches), { timeoutMs });
  }

  /** Ends the transport without DISCONNECT, like an unplugged cable. */
  cut(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.socket.close();
  }
}

/**
 * What socket.io-client reports after a temporary refusal, for example by a busy machine. Clients
 * that reconnect try again.
 */
const FOR_NOW = 'server error';
const REFUSED_FOR_NOW_MS = 5_000;
const AGAIN_MS = 200;

/**
 * Connects and waits for `session`. Tries again after a temporary refusal. @throws {Refused} if the
 * server refuses the connection
 */
export async function connect(endpoint: string, options: ConnectOptions): Promise<TestClient> {
  const deadlineMs = Date.now() + REFUSED_FOR_NOW_MS;
  for (;;) {
    try {
      return await connectOnce(endpoint, options);
    } catch (error) {
      if (!(error instanceof Refused) || error.message !== FOR_NOW || Date.now() > deadlineMs) throw error;
      await sleep(AGAIN_MS);
    }
  }
}

async function connectOnce(endpoint: string, options: ConnectOptions): Promise<TestClient> {
  const client = new TestClient(endpoint, options);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no session in time')), CONNECT_TIMEOUT_MS);
      client.socket.once('session', () => {
        clearTimeout(timer);
        resolve();
      });
      client.socket.once('connect_error', (error) => {
        clearTimeout(timer);
        reject(new Refused(error));
      });
      client.socket.connect();
    });
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}
