/** A session's wire over one Socket.IO socket. */
import type { ServerEvents } from '@maru/protocol';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { signalRoom } from '../cluster/signals.ts';
import type { SharedPackets } from '../delivery/shared-packets.ts';
import { DirectWriter, type FastPath } from './direct-write.ts';
import type { Wire } from './session.ts';

export type ChatIo = Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, unknown>;
export type ChatSocket = Socket<DefaultEventsMap, ServerEvents, DefaultEventsMap, unknown>;

/** A class, so that a connection has no functions of its own. */
export class SocketWire implements Wire {
  readonly #socket: ChatSocket;
  readonly #engine: ChatSocket['conn'];
  readonly #direct: DirectWriter;

  constructor(socket: ChatSocket, fastPath: FastPath) {
    this.#socket = socket;
    this.#engine = socket.conn;
    this.#direct = new DirectWriter(fastPath, socket.conn);
  }

  /** Public Engine.IO API: `send` queues behind everything that Socket.IO queued, on any transport. */
  sendFrame(frame: string): void {
    this.#engine.send(frame);
  }

  sendShared(shared: SharedPackets): boolean {
    if (this.#direct.write(shared)) return true;
    for (const packet of shared.packets) this.#engine.send(packet);
    return false;
  }

  emit<E extends keyof ServerEvents>(event: E, ...payload: Parameters<ServerEvents[E]>): void {
    this.#socket.emit(event, ...payload);
  }

  queuedPackets(): number {
    return this.#queue.length;
  }

  queuedBytes(): number {
    let bytes = this.#direct.socketBytes();
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
