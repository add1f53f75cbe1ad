/** One open WebSocket with both of its ends here, for tests that write past Engine.IO and ws. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { createLogger } from '@maru/service-kit';
import { Server } from 'socket.io';
import { DirectWriter, FastPath } from '../direct-write.ts';

export const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

/** What a test reaches into to bring a connection into a state. */
export interface Inside {
  upgrading: boolean;
  send(data: string): void;
  writeBuffer: unknown[];
  transport: {
    name: string;
    writable: boolean;
    socket: {
      extensions: string;
      _sender: { _state: number; _queue: unknown[] };
      _socket: NetSocket;
      emit(event: 'ping'): void;
    };
  };
}
export interface SenderClass {
  new (socket: object, extensions: object): object;
  frame(data: Buffer, options: object): Buffer[];
}

/** A WebSocket frame that asks for a sign of life. */
export const EMPTY_PING = Buffer.from([0x89, 0]);

export async function until(condition: () => boolean): Promise<void> {
  for (const startedAt = Date.now(); !condition(); ) {
    assert.ok(Date.now() - startedAt < 5_000, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function openDirectRig() {
  const httpServer = createServer();
  const io = new Server(httpServer);
  const received: string[] = [];
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const connected = once(io.engine, 'connection');
  const { port } = httpServer.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  client.addEventListener('message', ({ data }) => received.push(data));
  const [inside] = (await connected) as [Inside];
  // The handshake's own packet is on its way until then.
  await until(() => inside.transport.writable && received.length === 1);
  return {
    io,
    port,
    /** The server's end. */
    inside,
    /** What the client was sent, as text. */
    received,
    start(options: { enabled?: boolean; engine?: unknown } = {}) {
      const path = new FastPath({ enabled: true, engine: io.engine, logger, ...options });
      return { path, writer: new DirectWriter(path, inside) };
    },
    senderClass: (): SenderClass =>
      (io.engine as unknown as { ws: { options: { WebSocket: { Sender: SenderClass } } } }).ws.options.WebSocket.Sender,
    close() {
      client.close();
      io.close();
    },
  };
}
