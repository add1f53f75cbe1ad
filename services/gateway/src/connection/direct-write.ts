/**
 * Writes what many connections share straight to the network socket of those that could take it at once: plain open WebSockets with
 * nothing queued anywhere. Whatever is not certain is not written here, and takes Engine.IO's public `send`, so that order always holds.
 *
 * This file alone relies on how Engine.IO and ws work inside: an Engine.IO connection without queued packets on a writable transport has
 * handed all to ws, and an idle ws sender has handed all to the socket. Both are checked, at the start and again for each
 * connection; where they are not as expected nothing is written here, which a metric and a line in the log tell.
 *
 * It writes with the socket's file descriptor (decision 0010), which only the socket's handle knows.
 */
import { writeSync } from 'node:fs';
import { Socket as NetSocket } from 'node:net';
import type { Logger } from '@maru/service-kit';
import { messageFrames, type SharedPackets } from '../delivery/shared-packets.ts';

/** `unexpected`: the libraries work otherwise than this file expects, so everything takes the public road. */
export const FAST_PATH_STATES = ['on', 'off', 'unexpected'] as const;
export type FastPathState = (typeof FAST_PATH_STATES)[number];

/** What is relied on of each library. */
interface EngineConnection {
  readyState: string;
  upgrading: boolean;
  writeBuffer: unknown[];
  transport: EngineTransport;
  /** Emitted for every packet, before it is queued or sent. */
  on(event: 'packetCreate', listener: (this: EngineConnection) => void): void;
  [WRITER]?: DirectWriter;
}
interface EngineTransport {
  name: string;
  protocol: number;
  writable: boolean;
  perMessageDeflate: unknown;
  socket: WsConnection;
}
interface WsConnection {
  readyState: number;
  extensions: string;
  _sender: WsSender;
  _socket: NetSocket;
  /** Emitted when ws has answered a ping of the client by itself. */
  on(event: 'ping', listener: (this: WsConnection) => void): void;
  [WRITER]?: DirectWriter;
}
interface WsSender {
  _socket: unknown;
  _state: number;
  _queue: unknown[];
  _firstFragment: boolean;
  send(data: unknown, options: object, done?: () => void): void;
}
interface SocketHandle {
  fd?: number;
}
interface WsSenderClass {
  new (socket: object, extensions: object): WsSender;
  frame(data: Buffer, options: object): Buffer[];
}

/** From what Engine.IO and ws call a listener on to the writer of the connection, so that no connection has listeners of its own. */
const WRITER = Symbol('writer');
const WS_OPEN = 1;
const SENDER_IDLE = 0;
const ENGINE_PROTOCOL = 4;
/** Payloads of every way to say a length. */
const PROBE_CHARS = [1, 124, 125, 65_534, 65_535];

export class FastPath {
  #state: FastPathState;
  /** Times that packets for many were written to a connection by each road, since the start. */
  readonly writes = { direct: 0, queued: 0 };
  readonly #logger: Logger;

  /** `engine` is the Engine.IO server. */
  constructor(options: { enabled: boolean; engine: unknown; logger: Logger }) {
    this.#logger = options.logger;
    this.#state = options.enabled ? 'on' : 'off';
    const surprise = options.enabled ? surpriseInLibrary(options.engine) : undefined;
    if (surprise !== undefined) this.refute(surprise);
  }

  get state(): FastPathState {
    return this.#state;
  }

  /** What this file expects has turned out not to be so. */
  refute(reason: string): void {
    if (this.#state !== 'on') return;
    this.#state = 'unexpected';
    this.#logger.warn({ reason }, 'the fast path is not used: a library works otherwise than expected');
  }
}

/** After so many writes to a connection without a sign one looks whole again, and what is found then against the signs ends the fast path. */
export const WHOLE_LOOK_EVERY = 256;
/** In the place of writes that are left until then: there was a sign. */
const SIGN = -1;

/**
 * Writes to one connection, whichever transport it has at the time. To look whole takes a dozen objects, of which each is a cache miss in every socket of
 * every entry, so it is done once, and again after each sign that somebody else has written: Engine.IO says so before each packet, ws after each
 * pong. What gives no sign is asked before each write.
 */
export class DirectWriter {
  readonly #path: FastPath;
  readonly #engine: EngineConnection;
  /** The transport that was looked at last. */
  #transport: EngineTransport | undefined;
  /** Of an open WebSocket that may be written to past its library; undefined of any other transport. */
  #ws: WsConnection | undefined;
  #socket: NetSocket | undefined;
  #handle: SocketHandle | null = null;
  /** Its file descriptor, the socket's for as long as the handle is; below 0 where there is none. */
  #fd = -1;
  /** Writes until the next whole look, or SIGN. */
  #untilLook = SIGN;

  /** `engine` is the Engine.IO connection. */
  constructor(path: FastPath, engine: unknown) {
    this.#path = path;
    this.#engine = engine as EngineConnection;
    if (this.#engine[WRITER] === undefined) this.#engine.on('packetCreate', onSign);
    this.#engine[WRITER] = this;
  }

  /** False where nothing was written: then the packets have to be queued. */
  write(shared: SharedPackets): boolean {
    const path = this.#path;
    if (path.state !== 'on' || !this.#isIdle()) {
      path.writes.queued++;
      return false;
    }
    const isTaken = writeNow(this.#socket as NetSocket, this.#fd, shared.framed());
    this.#untilLook = isTaken ? this.#untilLook - 1 : SIGN;
    path.writes.direct++;
    return true;
  }

  /** Somebody else writes, or has written. */
  lookAgain(): void {
    this.#untilLook = SIGN;
  }

  /** Bytes that the network socket has not passed on yet. */
  socketBytes(): number {
    this.#follow();
    return this.#socket?.writableLength ?? 0;
  }

  /** Whether nothing that was sent before can be anywhere but in the kernel, and nothing ends or changes the transport. */
  #isIdle(): boolean {
    if (this.#untilLook > 0 && this.#isOpen()) return true;
    const isIdle = this.#looksIdle();
    // Only what is pending tells of a change in a library; the rest is for a client to bring about.
    if (this.#untilLook === 0 && !isIdle && this.#isOpen() && this.#isPending())
      this.#path.refute('something was written without a sign');
    this.#untilLook = isIdle ? WHOLE_LOOK_EVERY : SIGN;
    return isIdle;
  }

  /** A sender of ws holds nothing back where there are no extensions, so it is not asked. */
  #looksIdle(): boolean {
    this.#follow();
    const engine = this.#engine;
    return (
      this.#isOpen() &&
      !this.#isPending() &&
      engine.readyState === 'open' &&
      !engine.upgrading &&
      this.#socket?.writable === true
    );
  }

  /** Whether anything is in Engine.IO's queue, on its way through ws, or in the socket's stream. */
  #isPending(): boolean {
    const { writeBuffer, transport } = this.#engine;
    return writeBuffer.length > 0 || !transport.writable || this.#socket?.writableLength !== 0;
  }

  /** A WebSocket that either side closes is not open any more; a socket that is gone has no handle, and its descriptor may be another one's. */
  #isOpen(): boolean {
    const socket = this.#socket;
    return socket !== undefined && this.#ws?.readyState === WS_OPEN && handleOf(socket) === this.#handle;
  }

  #follow(): void {
    const { transport } = this.#engine;
    if (transport !== this.#transport) this.#look(transport);
  }

  #look(transport: EngineTransport): void {
    this.#transport = transport;
    // What was found of another transport says nothing of this one.
    this.#untilLook = SIGN;
    this.#ws = undefined;
    this.#socket = undefined;
    if (transport.name !== 'websocket' || transport.socket?.readyState !== WS_OPEN) return;
    const surprise = surpriseInConnection(this.#engine);
    if (surprise !== undefined) {
      this.#path.refute(surprise);
      return;
    }
    this.#ws = transport.socket;
    if (this.#ws[WRITER] === undefined) this.#ws.on('ping', onSign);
    this.#ws[WRITER] = this;
    this.#socket = transport.socket._socket;
    this.#handle = handleOf(this.#socket);
    this.#fd = this.#handle?.fd ?? -1;
  }
}

function onSign(this: EngineConnection | WsConnection): void {
  this[WRITER]?.lookAgain();
}

/**
 * One system call, without what a stream does around it, where the kernel takes everything, as it does of an idle socket. What it does
 * not take, and every error, is left to the stream: then it returns false.
 */
function writeNow(socket: NetSocket, fd: number, bytes: Buffer): boolean {
  let taken = 0;
  try {
    if (fd >= 0) taken = writeSync(fd, bytes, 0, bytes.length);
  } catch {
    // The stream meets the same, and waits or ends.
  }
  if (taken === bytes.length) return true;
  socket.write(bytes.subarray(taken));
  return false;
}

const handleOf = (socket: NetSocket) => (socket as unknown as { _handle: SocketHandle | null })._handle;

/** What in ws is not as expected; undefined where all is. */
function surpriseInLibrary(engine: unknown): string | undefined {
  try {
    const Sender = (engine as { ws: { options: { WebSocket: { Sender: WsSenderClass } } } }).ws.options.WebSocket
      .Sender;
    const asText = { fin: true, opcode: 1, mask: false, readOnly: false, rsv1: false };
    for (const chars of PROBE_CHARS) {
      const packet = 'x'.repeat(chars);
      const theirs = Buffer.concat(Sender.frame(Buffer.from(`4${packet}`), asText));
      if (!theirs.equals(messageFrames([packet]))) return 'ws frames a text otherwise';
    }
    const written: unknown[] = [];
    const sink = { cork() {}, uncork() {}, write: (data: unknown) => written.push(data) };
    const sender = new Sender(sink, {});
    if (sender._state !== SENDER_IDLE || sender._queue.length !== 0 || sender._firstFragment !== true)
      return 'a new ws sender is not idle';
    sender.send('4x', { binary: false, compress: false, fin: true, mask: false });
    if (written.length === 0) return 'an idle ws sender does not write at once';
    if (sender._state !== SENDER_IDLE || sender._queue.length !== 0) return 'a ws sender that has written is not idle';
  } catch (error) {
    return String(error);
  }
}

/** The same for one open WebSocket. */
function surpriseInConnection({ writeBuffer, upgrading, transport }: EngineConnection): string | undefined {
  if (!Array.isArray(writeBuffer) || typeof upgrading !== 'boolean') return 'an Engine.IO connection queues otherwise';
  if (typeof transport.writable !== 'boolean' || transport.protocol !== ENGINE_PROTOCOL || transport.perMessageDeflate)
    return 'an Engine.IO transport sends otherwise';
  const { _sender: sender, _socket: socket, extensions } = transport.socket;
  if (extensions !== '') return 'a WebSocket has extensions';
  // A socket of another kind, such as one with TLS, may have queues of its own.
  if (!(socket instanceof NetSocket) || Object.getPrototypeOf(socket) !== NetSocket.prototype)
    return 'a WebSocket does not write to a plain network socket';
  if (sender?._socket !== socket || sender._state !== SENDER_IDLE || sender._queue.length > 0 || !sender._firstFragment)
    return 'a ws sender works otherwise';
}
