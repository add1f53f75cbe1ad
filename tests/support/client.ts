/** A plain `socket.io-client` with a memory: everything that it received, in the order in which it came. */
import assert from 'node:assert/strict';
import type { Ack, ClientRequests, Entry, ErrorBody, ErrorCode, Position, SessionData } from '@maru/protocol';
import { io, type Socket } from 'socket.io-client';
import { poll, sleep } from './poll.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 15_000;

export interface ConnectOptions {
  token?: unknown;
  /** Sent with the first and every later handshake; a function of the client is asked anew each time. */
  resume?: unknown;
  /** The whole `auth` object, in place of `token` and `resume`. */
  auth?: Record<string, unknown>;
  transports?: Array<'websocket' | 'polling'>;
  /** On Node, `withCredentials` is what gives the client a cookie jar. */
  cookieJar?: boolean;
  headers?: Record<string, string>;
  reconnection?: boolean;
}

/** What came, in order: events under their names, acknowledgements as `ack <event>`. */
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
  /** Times that the connection was made or made again, and why it ended. */
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

  /** Live and resumed entries of a room, as `message` events brought them. */
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

  /** The position after the newest entry that came, for `auth.resume`. */
  positions(rooms: Iterable<string> = this.#byRoom.keys()): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const room of rooms) {
      const last = this.entries(room).at(-1);
      if (last !== undefined) positions[room] = { epoch: last.epoch, seq: last.seq };
    }
    return positions;
  }

  /** Any event with any payload: the acknowledgement as it came. */
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

  /** The data of a request that must succeed. */
  async ok<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<DataOf<N>> {
    const ack = await this.request(event, payload);
    assert(ack?.ok === true, `${event} was refused: ${JSON.stringify(ack)}`);
    return ack.data;
  }

  /** A request that must be refused with that code, in the shape of the contract. */
  async refused(code: ErrorCode, event: string, ...payload: unknown[]): Promise<{ retryAfterMs?: number }> {
    const ack = await this.raw(event, ...payload);
    assert(ack?.ok === false, `${event} should be ${code}, got ${JSON.stringify(ack)}`);
    const { error } = ack;
    assert.equal(error.code, code, JSON.stringify(ack));
    assert.equal(typeof error.message, 'string');
    assert.equal(error.retryable, ['rate_limited', 'internal', 'unavailable'].includes(code));
    return error;
  }

  /** As `ok`, but obeys answers that are retryable: waits as long as they say and asks again, for some seconds. */
  async patient<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<DataOf<N>> {
    const ack = await this.#obeying(event, payload, ({ retryable }) => retryable);
    assert(ack.ok, `${event} was refused: ${JSON.stringify(ack)}`);
    return ack.data;
  }

  /** As `request`, but obeys `rate_limited`: the answer is what is said to one who does not hurry. */
  unhurried<N extends EventName>(event: N, payload: ClientRequests[N][0]): Promise<Ack<DataOf<N>>> {
    return this.#obeying(event, payload, ({ code }) => code === 'rate_limited');
  }

  async #obeying<N extends EventName>(
    event: N,
    payload: ClientRequests[N][0],
    obeys: (error: ErrorBody) => boolean,
  ): Promise<Ack<DataOf<N>>> {
    const deadlineMs = Date.now() + PATIENCE_MS;
    for (;;) {
      const ack = await this.request(event, payload);
      if (ack.ok || !obeys(ack.error) || Date.now() > deadlineMs) return ack;
      const { code, retryAfterMs } = ack.error;
      assert(code !== 'rate_limited' || typeof retryAfterMs === 'number', 'rate_limited names retryAfterMs');
      await sleep(retryAfterMs ?? 100);
    }
  }

  /** Waits until that many entries of the room came. */
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

  /** Ends the transport as a cut cable would, without a word of goodbye. */
  cut(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.socket.close();
  }
}

/** Connects and waits for `session`. Throws `Refused` where the server refuses the connection. */
export async function connect(endpoint: string, options: ConnectOptions): Promise<TestClient> {
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
