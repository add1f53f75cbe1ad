/**
 * Engine.IO's WebSocket transport on a bare socket. The library's transport uses ws, which costs
 * four more objects for each connection and has queues that cannot be inspected. This one writes
 * with one system call if the kernel takes everything. It is `writable`, in Engine.IO's sense,
 * exactly while nothing is queued, so frames may be written to it past the library. The only
 * exception is the start: the answer to the handshake may still be queued, and the first packet
 * follows it through the stream.
 *
 * ws answers the handshake and creates an `UpgradedSocket` instead of its WebSocket.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Transport } from 'engine.io';
import { CLOSE_WAIT_MS, destroy, type UpgradedSocket } from './upgraded-socket.ts';
import { FrameReader, type FrameSink } from './websocket/frame-reader.ts';
import { CLOSE_CODE, closeFrame, frameOf, OPCODE, textFrames } from './websocket/frames.ts';

/**
 * Pings, and Engine.IO packets without a message, of one connection in one window. They are no
 * events, so no other limit counts them. A correct client sends one in 25 s.
 */
const CONTROLS_MAX = 200;
const CONTROLS_WINDOW_MS = 10_000;
/** The first byte of a text that carries a message. All other texts are Engine.IO's own packets. */
const MESSAGE = 0x34;

type Packets = Parameters<Transport['send']>[0];
type TransportRequest = ConstructorParameters<typeof Transport>[0] & { websocket?: unknown };
type BinaryPacket = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
interface SocketHandle {
  fd?: number;
}

/** Links a socket to its transport, so that connections share their listeners. */
const TRANSPORT = Symbol('transport');
type TransportSocket = Socket & { [TRANSPORT]?: WebSocketTransport };

export class WebSocketTransport extends Transport implements FrameSink {
  readonly #socket: TransportSocket;
  /** The socket's handle. Without it the file descriptor may belong to another connection. */
  readonly #handle: SocketHandle | null;
  readonly #fd: number;
  readonly #reader: FrameReader;
  /** True while the stream holds bytes that the kernel has not taken. */
  #queued: boolean;
  #stopped = false;
  /** Input is ignored: the peer sent Close or violated the protocol. */
  #peerDone = false;
  /** The payload of the pong to send when the socket is writable again. */
  #pendingPong: Buffer | undefined;
  /**
   * The number of the current window, and of its control frames. Small integers, which need no
   * objects.
   */
  #controlsWindow = 0;
  #controls = 0;
  #closeTimer: NodeJS.Timeout | undefined;
  /** Set while reading is paused. */
  #pauseTimer: NodeJS.Timeout | undefined;

  constructor(request: TransportRequest) {
    super(request);
    const { socket, messageBytesMax } = request.websocket as UpgradedSocket;
    if (socket === undefined) throw new Error('the WebSocket has no socket');
    this.#socket = socket;
    this.#handle = handleOf(socket);
    // Other kinds of sockets, such as TLS, transform what is written, so the descriptor must not be
    // used.
    this.#fd = Object.getPrototypeOf(socket) === Socket.prototype ? (this.#handle?.fd ?? -1) : -1;
    this.#reader = new FrameReader(messageBytesMax);
    // The answer to the handshake may be corked, to leave with the first packet.
    this.#queued = socket.writableLength > 0;
    this.writable = true;
    this.#socket[TRANSPORT] = this;
    socket.on('data', onData).on('end', onEnd).on('close', onClose);
  }

  get name(): string {
    return 'websocket';
  }

  get handlesUpgrades(): boolean {
    return true;
  }

  get peerAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** Bytes that have not left for the network. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /**
   * Engine.IO calls this only while `writable`, except for the answer to a probe. That answer may
   * be dropped.
   */
  send(packets: Packets): void {
    if (!this.writable) return;
    this.#write(this.#encode(packets));
    if (this.writable) this.emit('drain');
  }

  /**
   * Writes whole frames past Engine.IO's queue. Does not change the buffer. False if something is
   * queued: then nothing was written.
   */
  writeFrames(frames: Buffer): boolean {
    if (!this.writable) return false;
    this.#write(frames);
    return true;
  }

  /** Discarding drops the backlog, which a peer that does not read would keep in memory. */
  doClose(done?: () => void): void {
    if (this.discarded && this.#queued) this.#socket.destroy();
    this.#close(CLOSE_CODE.noneGiven);
    done?.();
  }

  read(chunk: Buffer): void {
    if (!this.#peerDone) this.#reader.read(chunk, this);
  }

  /**
   * What the peer sends during the pause waits: a chunk of it here, the rest in the kernel and the
   * peer. False if it began no pause.
   */
  pauseReading(ms: number): boolean {
    if (this.#pauseTimer !== undefined || this.#peerDone || this.#stopped) return false;
    this.#reader.pause();
    this.#socket.pause();
    this.#pauseTimer = setTimeout(() => {
      this.#pauseTimer = undefined;
      if (!this.#peerDone) this.#reader.readOn(this);
      // The kept input may have paused reading again.
      if (this.#pauseTimer === undefined) this.#socket.resume();
    }, ms);
    return true;
  }

  receivedText(text: string): void {
    if (text.charCodeAt(0) === MESSAGE || this.#takeControl()) this.onData(text);
  }

  receivedBinary(bytes: Buffer): void {
    this.onData(bytes);
  }

  /**
   * If pings arrive faster than pongs leave, only the last one is answered (RFC 6455, section
   * 5.5.3).
   */
  receivedPing(payload: Buffer): void {
    if (!this.#stopped && this.#takeControl()) this.#pong(payload);
  }

  receivedClose(code: number, reason: string): void {
    this.#peerDone = true;
    this.#close(code, reason);
    this.#reportClose();
  }

  receivedViolation(code: number, reason: string): void {
    this.#peerDone = true;
    this.#close(code);
    this.onError(`invalid WebSocket frame: ${reason}`);
  }

  /** The peer's side of the connection has ended. */
  ended(): void {
    this.#stop();
    this.#socket.end();
    this.#reportClose();
  }

  /** The socket is gone. */
  gone(): void {
    this.#stop();
    clearTimeout(this.#closeTimer);
    clearTimeout(this.#pauseTimer);
    delete this.#socket[TRANSPORT];
    this.#reportClose();
  }

  /**
   * Reports the end once, as soon as the peer no longer reads. It may keep its side of the socket
   * open longer.
   */
  #reportClose(): void {
    if (this.readyState !== 'closed') this.onClose();
  }

  /** False if there were too many. Then the connection has ended. */
  #takeControl(): boolean {
    // This is the rest of the chunk that exceeded the limit.
    if (this.#peerDone) return false;
    const window = Math.floor(performance.now() / CONTROLS_WINDOW_MS);
    if (window !== this.#controlsWindow) {
      this.#controlsWindow = window;
      this.#controls = 0;
    }
    if (++this.#controls <= CONTROLS_MAX) return true;
    this.receivedViolation(CLOSE_CODE.policy, 'too many pings');
    return false;
  }

  #pong(payload: Buffer): void {
    if (this.writable) this.#write(frameOf(OPCODE.pong, payload));
    else this.#pendingPong = payload;
  }

  #encode(packets: Packets): Buffer {
    const frames: Buffer[] = [];
    for (const packet of packets) {
      this.parser.encodePacket(packet, this.supportsBinary, (encoded: string | BinaryPacket) => {
        frames.push(typeof encoded === 'string' ? textFrames([encoded]) : frameOf(OPCODE.binary, bytesOf(encoded)));
      });
    }
    return Buffer.concat(frames);
  }

  #write(bytes: Buffer): void {
    const taken = this.#queued ? 0 : this.#writeNow(bytes);
    if (taken === bytes.length) return;
    this.#queued = true;
    this.writable = false;
    this.#socket.write(bytes.subarray(taken), (error) => this.#written(error));
  }

  /**
   * Writes with one system call, without the overhead of a stream. The stream gets what the kernel
   * does not take, and meets every error again. Returns the number of bytes taken.
   */
  #writeNow(bytes: Buffer): number {
    if (this.#fd < 0 || handleOf(this.#socket) !== this.#handle) return 0;
    try {
      return writeSync(this.#fd, bytes, 0, bytes.length);
    } catch {
      // The stream meets the same error, and waits or ends.
      return 0;
    }
  }

  /** The kernel has taken the stream's bytes. */
  #written(error?: Error | null): void {
    // An error is followed by the socket's end.
    if (error || this.#socket.writableLength > 0) return;
    this.#queued = false;
    if (this.#stopped) return;
    // Emit `drain` before setting `writable`, because Engine.IO may still have a queue.
    this.emit('drain');
    if (this.#stopped) return;
    this.writable = true;
    const pong = this.#pendingPong;
    this.#pendingPong = undefined;
    if (pong !== undefined) this.#pong(pong);
    this.emit('ready');
  }

  #close(code: number, reason?: string): void {
    if (!this.#stopped) {
      this.#write(closeFrame(code, reason));
      this.#stop();
    }
    if (this.#peerDone) this.#socket.end();
  }

  /** Ends writing. The socket must end within `CLOSE_WAIT_MS`, even with a backlog. */
  #stop(): void {
    this.#stopped = true;
    this.writable = false;
    this.#pendingPong = undefined;
    if (!this.#socket.destroyed) this.#closeTimer ??= setTimeout(destroy, CLOSE_WAIT_MS, this.#socket);
  }
}

function onData(this: TransportSocket, chunk: Buffer): void {
  this[TRANSPORT]?.read(chunk);
}
function onEnd(this: TransportSocket): void {
  this[TRANSPORT]?.ended();
}
function onClose(this: TransportSocket): void {
  this[TRANSPORT]?.gone();
}
function bytesOf(packet: BinaryPacket): Buffer {
  if (ArrayBuffer.isView(packet)) return Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  return Buffer.from(packet);
}

const handleOf = (socket: Socket) => (socket as unknown as { _handle: SocketHandle | null })._handle;
