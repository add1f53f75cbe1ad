/** A session's wire over one Socket.IO socket. */
import type { ServerEvents } from '@maru/protocol';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';

import type { Identity } from '../identity/tokens.ts';
import type { Session, Wire } from '../sessions/session.ts';
import { signalRoom } from './ephemeral.ts';
import type { FastPath } from './fast-path.ts';
import { eventPacket, PacketBatch } from './packets.ts';
import { WebSocketTransport } from './websocket-transport.ts';

export type ChatIo = Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, SocketState>;
export type ChatSocket = Socket<DefaultEventsMap, ServerEvents, DefaultEventsMap, SocketState>;

/** What is known of a socket: who it is once its token was checked, and its session from then on. */
export interface SocketState {
  identity?: Identity;
  session?: Session;
}

/** A class, so that a connection has no functions of its own. */
export class SocketConnection implements Wire {
  readonly #socket: ChatSocket;
  readonly #engine: ChatSocket['conn'];
  readonly #path: FastPath;
  /** Its WebSocket, where it has one that may be written to past Engine.IO. */
  #line: WebSocketTransport | undefined;
  /** CONNECT, which the parser keeps back: it goes out with the first packet, in one write. */
  #greeting: string | undefined;

  constructor(socket: ChatSocket, fastPath: FastPath) {
    this.#socket = socket;
    this.#engine = socket.conn;
    this.#path = fastPath;
    this.#follow();
    if (this.#line === undefined) this.#engine.once('upgrade', () => this.#follow());
    this.#greeting = `0{"sid":"${socket.id}"}`;
  }

  /** Tells the client that it is connected, unless it was told with an earlier packet. */
  greet(): void {
    const greeting = this.#greeting;
    this.#greeting = undefined;
    if (greeting !== undefined) this.#write([greeting]);
  }

  sendPacket(frame: string): void {
    const greeting = this.#greeting;
    this.#greeting = undefined;
    this.#write(greeting === undefined ? [frame] : [greeting, frame]);
  }

  sendBatch(shared: PacketBatch): boolean {
    this.greet();
    return this.#writeBatch(shared);
  }

  emit<E extends keyof ServerEvents>(event: E, ...[payload]: Parameters<ServerEvents[E]>): void {
    this.sendPacket(eventPacket(event, JSON.stringify(payload)));
  }

  #write(packets: string[]): void {
    this.#writeBatch(new PacketBatch(packets));
  }

  /** Public Engine.IO API where it cannot be written at once: `send` queues behind everything that was queued, on any transport. */
  #writeBatch(shared: PacketBatch): boolean {
    if (this.#line?.writeFrames(shared.framed())) {
      this.#path.writes.direct++;
      return true;
    }
    this.#path.writes.queued++;
    for (const packet of shared.packets) this.#engine.send(packet);
    return false;
  }

  /** At the start, and after an upgrade: Engine.IO writes what it has queued right after it has told of that, and nobody else listens for it. */
  #follow(): void {
    const transport: unknown = this.#engine.transport;
    this.#line = transport instanceof WebSocketTransport ? transport : undefined;
  }

  queuedPackets(): number {
    return this.#queue.length;
  }

  queuedBytes(): number {
    let bytes = this.#line?.queuedBytes ?? streamBytes(this.#engine.transport);
    for (const { data } of this.#queue) if (typeof data === 'string') bytes += data.length;
    return bytes;
  }

  drained(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#engine.off('drain', done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#engine.on('drain', done);
    });
  }

  get #queue(): Array<{ data?: unknown }> {
    return (this.#engine as unknown as { writeBuffer: Array<{ data?: unknown }> }).writeBuffer;
  }

  get closed(): boolean {
    return this.#socket.disconnected || this.#engine.readyState !== 'open';
  }

  closeTransport(discard: boolean): void {
    this.#engine.close(discard);
  }

  disconnect(): void {
    this.#socket.disconnect();
  }

  joinSignals(room: string): void {
    void this.#socket.join(signalRoom(room));
  }

  leaveSignals(room: string): void {
    void this.#socket.leave(signalRoom(room));
  }
}

/** Bytes that the network socket below a transport of the library has not passed on; 0 where there is none. */
const streamBytes = (transport: unknown): number =>
  (transport as { socket?: { _socket?: { writableLength?: number } } }).socket?._socket?.writableLength ?? 0;
