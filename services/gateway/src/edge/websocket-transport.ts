/**
 * Engine.IO's WebSocket transport on a bare socket. The library's own has ws beneath it: four more objects for each connection, with queues of
 * their own that nobody can look into. This one writes with one system call where the kernel takes all, and is not writable, in Engine.IO's sense,
 * for exactly as long as the kernel does not: so what is writable has nothing queued anywhere, and frames may be written to it past the library. Only at
 * the very first is it writable although the answer to the handshake may be queued: what is written then goes behind that, by the stream.
 *
 * ws still answers the handshake, and is asked for `UpgradedSocket` in the place of its WebSocket; see `engine-takeover.ts`.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Transport } from 'engine.io';
import { FrameReader, type FrameSink } from './websocket/frame-reader.ts';
import { CLOSE_CODE, closeFrame, frameOf, OPCODE, textFrames } from './websocket/frames.ts';

/** A peer that does not close its side, or does not read what is left for it, is dropped after so long. */
const CLOSE_WAIT_MS = 30_000;

type Packets = Parameters<Transport['send']>[0];
type TransportRequest = ConstructorParameters<typeof Transport>[0] & { websocket?: unknown };
type BinaryPacket = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
interface SocketHandle {
  fd?: number;
}

const NO_ADDRESS = { remoteAddress: '' };

/** What ws makes of a socket that it has upgraded, until Engine.IO makes a transport of it. */
export class UpgradedSocket {
  socket: Socket | undefined;
  messageBytesMax = 0;
  /**
   * Where Engine.IO looks for the peer's address, which it tells as `handshake.address`: nobody asks for it, since behind a proxy it is the proxy's, and
   * finding it is a system call.
   */
  readonly _socket = NO_ADDRESS;

  /** As ws calls it. */
  setSocket(socket: Socket, head: Buffer, options: { maxPayload: number }): void {
    this.socket = socket;
    this.messageBytesMax = options.maxPayload;
    socket.on('error', ignore);
    // ws would also ask for no delay, which an HTTP server of Node.js has done by then.
    socket.setTimeout(0);
    if (head.length > 0) socket.unshift(head);
  }

  /** Engine.IO takes it back: the session that it was meant for is gone, or has another transport. */
  close(): void {
    const { socket } = this;
    if (socket === undefined) return;
    const patience = setTimeout(destroy, CLOSE_WAIT_MS, socket);
    socket.once('close', () => clearTimeout(patience));
    // What it still sends is read, and dropped: a socket that is not read does not notice its end.
    socket.resume().end(closeFrame(CLOSE_CODE.noneGiven));
  }

  // Engine.IO listens for errors until there is a transport; there are none that are not the socket's.
  on(): void {}
  removeListener(): void {}
}

/** From a socket to its transport, so that no connection has listeners of its own. */
const TRANSPORT = Symbol('transport');
type TransportSocket = Socket & { [TRANSPORT]?: WebSocketTransport };

export class WebSocketTransport extends Transport implements FrameSink {
  readonly #socket: TransportSocket;
  /** The socket's, for as long as it has one: a descriptor without it may be another connection's. */
  readonly #handle: SocketHandle | null;
  readonly #fd: number;
  readonly #reader: FrameReader;
  /** Something is with the stream that the kernel has not taken. */
  #queued: boolean;
  #stopped = false;
  /** It says nothing more that is heard: it has closed, or broken the protocol. */
  #peerDone = false;
  /** What the last ping is to be answered with, while nothing can be written. */
  #owedPong: Buffer | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(request: TransportRequest) {
    super(request);
    const { socket, messageBytesMax } = request.websocket as UpgradedSocket;
    if (socket === undefined) throw new Error('a WebSocket without a socket');
    this.#socket = socket;
    this.#handle = handleOf(socket);
    // A socket of another kind, such as one with TLS, may do more than pass on what is written.
    this.#fd = Object.getPrototypeOf(socket) === Socket.prototype ? (this.#handle?.fd ?? -1) : -1;
    this.#reader = new FrameReader(messageBytesMax);
    // The answer to the handshake may be waiting for the first packet, to leave with it.
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

  /** Bytes that have not been passed on to the network yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Engine.IO's: packets of one connection. It asks whether it is writable first, but for the answer to a probe, which may be left out. */
  send(packets: Packets): void {
    if (!this.writable) return;
    this.#write(this.#encode(packets));
    if (this.writable) this.emit('drain');
  }

  /** Whole frames, which others may get too, past Engine.IO's queue; never changes them. False where something is queued: then nothing was written. */
  writeFrames(frames: Buffer): boolean {
    if (!this.writable) return false;
    this.#write(frames);
    return true;
  }

  /** What is queued goes with a transport that is discarded: it is held for one who does not read. */
  doClose(done?: () => void): void {
    if (this.discarded && this.#queued) this.#socket.destroy();
    this.#close(CLOSE_CODE.noneGiven);
    done?.();
  }

  read(chunk: Buffer): void {
    if (!this.#peerDone) this.#reader.read(chunk, this);
  }

  receivedText(text: string): void {
    this.onData(text);
  }

  receivedBinary(bytes: Buffer): void {
    this.onData(bytes);
  }

  /** Of pings that come faster than their answers leave only the last is answered (section 5.5.3). */
  receivedPing(payload: Buffer): void {
    if (this.#stopped) return;
    if (this.writable) this.#write(frameOf(OPCODE.pong, payload));
    else this.#owedPong = payload;
  }

  receivedClose(code: number, reason: string): void {
    this.#peerDone = true;
    this.#close(code, reason);
    this.#tellEnd();
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
    this.#tellEnd();
  }

  /** The socket is gone. */
  gone(): void {
    this.#stop();
    clearTimeout(this.#patience);
    delete this.#socket[TRANSPORT];
    this.#tellEnd();
  }

  /** Once, and as soon as nobody is there who would read: a peer may keep its side of the socket open for longer. */
  #tellEnd(): void {
    if (this.readyState !== 'closed') this.onClose();
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
   * One system call, without what a stream does around it, where the kernel takes everything, as it does of an idle socket. What it does not
   * take, and every error, is left to the stream. Returns how many bytes were taken.
   */
  #writeNow(bytes: Buffer): number {
    if (this.#fd < 0 || handleOf(this.#socket) !== this.#handle) return 0;
    try {
      return writeSync(this.#fd, bytes, 0, bytes.length);
    } catch {
      // The stream meets the same, and waits or ends.
      return 0;
    }
  }

  /** The kernel has taken what was left to the stream. */
  #written(error?: Error | null): void {
    // After an error comes the end of the socket.
    if (error || this.#socket.writableLength > 0) return;
    this.#queued = false;
    if (this.#stopped) return;
    // Before it is writable again, as Engine.IO may have something queued until `ready`.
    this.emit('drain');
    if (this.#stopped) return;
    this.writable = true;
    const pong = this.#owedPong;
    this.#owedPong = undefined;
    if (pong !== undefined) this.receivedPing(pong);
    this.emit('ready');
  }

  #close(code: number, reason?: string): void {
    if (!this.#stopped) {
      this.#write(closeFrame(code, reason));
      this.#stop();
    }
    if (this.#peerDone) this.#socket.end();
  }

  /** Nothing is written any more, and the socket gets no longer than `CLOSE_WAIT_MS` to end, whatever it has not passed on. */
  #stop(): void {
    this.#stopped = true;
    this.writable = false;
    this.#owedPong = undefined;
    if (!this.#socket.destroyed) this.#patience ??= setTimeout(destroy, CLOSE_WAIT_MS, this.#socket);
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
function ignore(): void {}
function bytesOf(packet: BinaryPacket): Buffer {
  if (ArrayBuffer.isView(packet)) return Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  return Buffer.from(packet);
}
function destroy(socket: Socket): void {
  socket.destroy();
}

const handleOf = (socket: Socket) => (socket as unknown as { _handle: SocketHandle | null })._handle;
