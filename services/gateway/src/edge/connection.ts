/**
 * One client connection, as the rest of the gateway sees it. Packets leave in the order of the
 * calls, on any transport. Callers do not see the path: one write of shared WebSocket frames if
 * nothing is queued, or else Engine.IO's queue.
 */
import type { Socket } from 'node:net';
import type { ServerEvents } from '@maru/protocol';
import type { DefaultEventsMap, Socket as IoSocket } from 'socket.io';
import { ephemeralRoom } from './ephemeral.ts';
import type { WriteCounts } from './fast-path.ts';
import { eventPacket, PacketBatch } from './packets.ts';
import { WebSocketTransport } from './websocket-transport.ts';

export interface Connection {
  readonly id: string;
  readonly closed: boolean;
  /**
   * The address of the other end of its WebSocket: a proxy, or the client. Undefined for
   * long-polling, whose requests come by any way.
   */
  readonly peerAddress: string | undefined;
  /** Sends one encoded Socket.IO packet. */
  send(packet: string): void;
  /**
   * Sends packets that other connections get, too. False if they were queued; true if nothing is
   * queued.
   */
  sendBatch(batch: PacketBatch): boolean;
  emit<E extends keyof ServerEvents>(event: E, ...payload: Parameters<ServerEvents[E]>): void;
  /** Confirms the connection to the client, unless an earlier packet did. */
  greet(): void;
  /** Number of packets that the transport has not taken. */
  queuedPackets(): number;
  /** Number of bytes that have not left for the network. */
  queuedBytes(): number;
  /** Resolves when the transport has taken what was queued, or after `waitMs`. */
  drained(waitMs: number): Promise<void>;
  /**
   * Stops reading for a while. False if it began no pause: long-polling has none, because there
   * each request waits for its answer.
   */
  pauseReading(ms: number): boolean;
  /** Closes the transport. The client reconnects. `discard` drops queued packets. */
  closeTransport(discard: boolean): void;
  /** Sends DISCONNECT. The client does not reconnect. */
  disconnect(): void;
  /** Starts and ends ephemeral events of a room on this connection. */
  joinEphemeral(room: string): void;
  leaveEphemeral(room: string): void;
}

/**
 * What edge/ keeps on a Socket.IO socket: the identity after the token check, then the owner of the
 * connection.
 */
export interface SocketState {
  identity?: unknown;
  owner?: unknown;
}
export type ClientSocket = IoSocket<DefaultEventsMap, ServerEvents, DefaultEventsMap, SocketState>;

/** A class, so that a connection has no closures of its own. */
export class SocketConnection implements Connection {
  readonly id: string;
  readonly #socket: ClientSocket;
  readonly #engine: ClientSocket['conn'];
  readonly #counts: WriteCounts;
  /** The transport, if it is a WebSocket that can be written to directly. */
  #direct: WebSocketTransport | undefined;
  /** The CONNECT packet, which the parser drops. It leaves with the first packet, in one write. */
  #connectPacket: string | undefined;

  constructor(socket: ClientSocket, counts: WriteCounts) {
    this.id = socket.id;
    this.#socket = socket;
    this.#engine = socket.conn;
    this.#counts = counts;
    this.#findTransport();
    if (this.#direct === undefined) this.#engine.once('upgrade', () => this.#findTransport());
    this.#connectPacket = `0{"sid":"${socket.id}"}`;
  }

  get closed(): boolean {
    return this.#socket.disconnected || this.#engine.readyState !== 'open';
  }

  get peerAddress(): string | undefined {
    return this.#direct?.peerAddress ?? socketBelow(this.#engine.transport)?.remoteAddress;
  }

  greet(): void {
    const connectPacket = this.#connectPacket;
    this.#connectPacket = undefined;
    if (connectPacket !== undefined) this.#write(new PacketBatch([connectPacket]));
  }

  send(packet: string): void {
    const connectPacket = this.#connectPacket;
    this.#connectPacket = undefined;
    this.#write(new PacketBatch(connectPacket === undefined ? [packet] : [connectPacket, packet]));
  }

  sendBatch(batch: PacketBatch): boolean {
    this.greet();
    return this.#write(batch);
  }

  emit<E extends keyof ServerEvents>(event: E, ...[payload]: Parameters<ServerEvents[E]>): void {
    this.send(eventPacket(event, JSON.stringify(payload)));
  }

  queuedPackets(): number {
    return this.#queue.length;
  }

  queuedBytes(): number {
    let bytes = this.#direct?.queuedBytes ?? socketBelow(this.#engine.transport)?.writableLength ?? 0;
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

  pauseReading(ms: number): boolean {
    return this.#direct?.pauseReading(ms) ?? false;
  }

  closeTransport(discard: boolean): void {
    this.#engine.close(discard);
  }

  disconnect(): void {
    this.#socket.disconnect();
  }

  joinEphemeral(room: string): void {
    void this.#socket.join(ephemeralRoom(room));
  }

  leaveEphemeral(room: string): void {
    void this.#socket.leave(ephemeralRoom(room));
  }

  /**
   * If a direct write is impossible, Engine.IO's `send` queues behind everything that was queued.
   */
  #write(batch: PacketBatch): boolean {
    if (this.#direct?.writeFrames(batch.frames())) {
      this.#counts.direct++;
      return true;
    }
    this.#counts.queued++;
    for (const packet of batch.packets) this.#engine.send(packet);
    return false;
  }

  /**
   * Called at the start and after an upgrade. Engine.IO writes its queue right after the `upgrade`
   * event.
   */
  #findTransport(): void {
    const transport: unknown = this.#engine.transport;
    this.#direct = transport instanceof WebSocketTransport ? transport : undefined;
  }

  get #queue(): Array<{ data?: unknown }> {
    return (this.#engine as unknown as { writeBuffer: Array<{ data?: unknown }> }).writeBuffer;
  }
}

/** The network socket below one of the library's WebSocket transports. */
const socketBelow = (transport: unknown): Partial<Socket> | undefined =>
  (transport as { socket?: { _socket?: Partial<Socket> } }).socket?._socket;
