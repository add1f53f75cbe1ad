/**
 * One connection of the chat contract: the Engine.IO handshake, CONNECT with a token, the
 * heartbeat, requests with acknowledgements and timeouts, and the reason for its end. It does not
 * know rooms or k6, and it never reconnects: `resuming-client.ts` does.
 */
import type { ErrorBody } from '@maru/protocol/errors';
import type {
  ClientEventName,
  ClientRequests,
  Entry,
  Notice,
  Position,
  RoomEvent,
  SessionData,
} from '@maru/protocol/events';
import { decode, encode, type Packet, socketUrl } from '../codec/packets.ts';
import type { Runtime, SocketLike } from './runtime.ts';

/**
 * A server sends its open packet immediately. If it has not arrived this long after the socket
 * opened, this side has lost it. Then CONNECT is sent without it.
 */
const OPEN_PACKET_TIMEOUT_MS = 1_000;

/** Why a connection ended. Only `left` was requested by the client. */
export type Ending =
  | { kind: 'left' }
  | { kind: 'refused'; message: string; data: unknown }
  | { kind: 'disconnected' }
  | { kind: 'transport_closed'; detail: string }
  | { kind: 'heartbeat_missed' }
  | { kind: 'open_timeout' }
  | { kind: 'protocol_error'; detail: string };

/**
 * The client itself reports `timeout` and `gone`. Then it is unknown whether the server executed
 * the request.
 */
export type Answer<T> =
  | { ok: true; data: T; tookMs: number }
  | { ok: false; error: ErrorBody | { code: 'timeout' | 'gone'; retryable: true } };

export type AnswerOf<N extends ClientEventName> = Answer<ClientRequests[N][1]>;

export const GONE = { ok: false, error: { code: 'gone', retryable: true } } as const;

export interface Connection {
  readonly data: SessionData;
  readonly ending: Ending | undefined;
  /**
   * Sends a request and waits for the acknowledgement. `onAnswer` runs while the frame is read,
   * before the next frame. A join needs that, because its promise may resolve after the room's
   * first entries.
   */
  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    onAnswer?: (answer: AnswerOf<N>) => void,
  ): Promise<AnswerOf<N>>;
  /** Closes immediately. Open requests resolve with `gone`. */
  close(): void;
}

export interface ConnectionOptions {
  /** The cluster's public address. */
  url: string;
  token: string;
  resume?: Record<string, Position>;
  runtime: Runtime;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  /** Runs while the frame is read: entries of a resume may arrive before the promise resolves. */
  onSession?(data: SessionData): void;
  onEntry(entry: Entry, receivedAtMs: number): void;
  onRoomEvent?(event: RoomEvent): void;
  onNotice?(notice: Notice): void;
  /** Called once, when an open connection ends. */
  onEnded(ending: Ending): void;
}

/** The connection did not open. */
export class OpenFailed extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(`no session: ${describeEnding(ending)}`);
    this.name = 'OpenFailed';
    this.ending = ending;
  }
}

/** One line for a log, without tokens and texts. */
export function describeEnding(ending: Ending): string {
  if (ending.kind === 'refused') return `refused (${ending.message})`;
  return 'detail' in ending ? `${ending.kind} (${ending.detail})` : ending.kind;
}

/**
 * Opens a connection. Resolves with the server's `session` event, before any entry.
 * @throws {OpenFailed} if the server refuses it, if it ends, or after `openTimeoutMs`
 */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    new OpeningConnection(options, resolve, (ending) => reject(new OpenFailed(ending)));
  });
}

class OpeningConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #runtime: Runtime;
  readonly #onOpen: (connection: Connection) => void;
  readonly #onOpenFailed: (ending: Ending) => void;
  readonly #socket: SocketLike;
  readonly #openTimer: number;
  readonly #requests = new Map<number, (answer: Answer<unknown>) => void>();
  #nextAckId = 0;
  #state: { name: 'opening'; connectSent: boolean } | { name: 'open' } | { name: 'ended'; ending: Ending } = {
    name: 'opening',
    connectSent: false,
  };
  #openPacketTimer: number | undefined;
  #heartbeat: { timeoutMs: number; timer: number } | undefined;
  #data: SessionData | undefined;

  constructor(
    options: ConnectionOptions,
    onOpen: (connection: Connection) => void,
    onOpenFailed: (ending: Ending) => void,
  ) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#onOpen = onOpen;
    this.#onOpenFailed = onOpenFailed;
    this.#openTimer = this.#runtime.setTimeout(() => this.#end({ kind: 'open_timeout' }), options.openTimeoutMs);
    this.#socket = this.#runtime.connect(socketUrl(options.url), {
      opened: () => {
        if (this.#state.name === 'opening')
          this.#openPacketTimer = this.#runtime.setTimeout(() => this.#sendConnect(), OPEN_PACKET_TIMEOUT_MS);
      },
      frame: (data, receivedAtMs) => this.#onFrame(data, receivedAtMs),
      closed: (detail) => this.#end({ kind: 'transport_closed', detail }),
    });
  }

  get data(): SessionData {
    if (this.#data === undefined) throw new Error('the connection is not open yet');
    return this.#data;
  }

  get ending(): Ending | undefined {
    return this.#state.name === 'ended' ? this.#state.ending : undefined;
  }

  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    onAnswer?: (answer: AnswerOf<N>) => void,
  ): Promise<AnswerOf<N>> {
    return new Promise((resolve) => {
      const settle = (answer: AnswerOf<N>) => {
        onAnswer?.(answer);
        resolve(answer);
      };
      if (this.#state.name !== 'open') return settle(GONE);
      const id = this.#nextAckId++;
      const sentAtMs = this.#runtime.now();
      const answer = (given: Answer<unknown>) => {
        this.#requests.delete(id);
        this.#runtime.clearTimeout(timer);
        const tookMs = this.#runtime.now() - sentAtMs;
        settle(given.ok ? { ok: true, data: given.data as ClientRequests[N][1], tookMs } : given);
      };
      const timer = this.#runtime.setTimeout(
        () => answer({ ok: false, error: { code: 'timeout', retryable: true } }),
        this.#options.ackTimeoutMs,
      );
      this.#requests.set(id, answer);
      this.#socket.send(encode.event(name, payload, id));
    });
  }

  close(): void {
    this.#end({ kind: 'left' });
  }

  #onFrame(data: unknown, receivedAtMs: number): void {
    if (this.#state.name === 'ended') return;
    try {
      if (typeof data === 'string') this.#onPacket(decode(data), receivedAtMs);
      else this.#end({ kind: 'protocol_error', detail: 'a binary frame' });
    } catch (error) {
      this.#end({ kind: 'protocol_error', detail: error instanceof Error ? error.message : String(error) });
    }
  }

  #onPacket(packet: Packet, receivedAtMs: number): void {
    switch (packet.type) {
      case 'open':
        this.#expectPing(packet.pingIntervalMs + packet.pingTimeoutMs);
        this.#sendConnect();
        return;
      case 'ping':
        this.#socket.send(encode.pong());
        if (this.#heartbeat !== undefined) this.#expectPing(this.#heartbeat.timeoutMs);
        return;
      case 'event':
        this.#onEvent(packet.name, packet.args[0], receivedAtMs);
        return;
      case 'ack':
        this.#requests.get(packet.id)?.(asAnswer(packet.args[0]));
        return;
      case 'refused':
        this.#end({ kind: 'refused', message: packet.message, data: packet.data });
        return;
      case 'disconnected':
        this.#end({ kind: 'disconnected' });
        return;
      case 'close':
        this.#end({ kind: 'transport_closed', detail: 'close packet' });
        return;
      case 'connected':
      case 'noop':
        return;
    }
  }

  #onEvent(name: string, payload: unknown, receivedAtMs: number): void {
    if (name === 'session') this.#onSession(payload as SessionData);
    else if (name === 'message') this.#options.onEntry(payload as Entry, receivedAtMs);
    else if (name === 'room:event') this.#options.onRoomEvent?.(payload as RoomEvent);
    else if (name === 'notice') this.#options.onNotice?.(payload as Notice);
  }

  #onSession(data: SessionData): void {
    if (this.#state.name !== 'opening') {
      this.#end({ kind: 'protocol_error', detail: 'a second session event' });
      return;
    }
    this.#state = { name: 'open' };
    this.#data = data;
    this.#runtime.clearTimeout(this.#openTimer);
    this.#options.onSession?.(data);
    this.#onOpen(this);
  }

  /** Sends CONNECT, once. */
  #sendConnect(): void {
    if (this.#state.name !== 'opening' || this.#state.connectSent) return;
    this.#state.connectSent = true;
    const { token, resume } = this.#options;
    this.#socket.send(encode.connect(resume === undefined ? { token } : { token, resume }));
  }

  /**
   * The server counts as gone if no ping arrives within the ping interval plus the ping timeout.
   */
  #expectPing(timeoutMs: number): void {
    if (this.#heartbeat !== undefined) this.#runtime.clearTimeout(this.#heartbeat.timer);
    const timer = this.#runtime.setTimeout(() => this.#end({ kind: 'heartbeat_missed' }), timeoutMs);
    this.#heartbeat = { timeoutMs, timer };
  }

  #end(ending: Ending): void {
    const before = this.#state.name;
    if (before === 'ended') return;
    this.#state = { name: 'ended', ending };
    for (const timer of [this.#openTimer, this.#openPacketTimer, this.#heartbeat?.timer])
      if (timer !== undefined) this.#runtime.clearTimeout(timer);
    this.#socket.close();
    for (const answer of [...this.#requests.values()]) answer(GONE);
    if (before === 'open') this.#options.onEnded(ending);
    else this.#onOpenFailed(ending);
  }
}

function asAnswer(value: unknown): Answer<unknown> {
  const ack = value as { ok?: unknown; data?: unknown; error?: unknown } | null | undefined;
  if (ack?.ok === true) return { ok: true, data: ack.data, tookMs: 0 };
  const error = ack?.error as ErrorBody | undefined;
  if (ack?.ok === false && typeof error?.code === 'string') return { ok: false, error };
  return { ok: false, error: { code: 'internal', message: 'a malformed acknowledgement', retryable: true } };
}
