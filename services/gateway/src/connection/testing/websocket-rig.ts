/** Open WebSockets with both of their ends here, for tests that look at what goes over the wire. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket as NetSocket } from 'node:net';
import { createLogger } from '@maru/service-kit';
import { Server, type ServerOptions } from 'engine.io';
import { FastPath } from '../fast-path.ts';
import { WebSocketTransport } from '../websocket-transport.ts';

export const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

/** What a test needs of an Engine.IO connection. */
interface EngineConnection {
  readyState: string;
  writeBuffer: unknown[];
  transport: WebSocketTransport;
  send(data: string): void;
  close(discard?: boolean): void;
  on(event: string, listener: (...args: unknown[]) => void): void;
}

export async function until(condition: () => boolean): Promise<void> {
  for (const startedAt = Date.now(); !condition(); ) {
    assert.ok(Date.now() - startedAt < 5_000, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A frame as a client sends it. */
export function masked(
  opcode: number,
  payload: Buffer | string,
  options: { fin?: boolean; mask?: Buffer } = {},
): Buffer {
  const { fin = true, mask = Buffer.from([0x12, 0x34, 0x56, 0x78]) } = options;
  const bytes = Buffer.from(payload);
  const header = [(fin ? 0x80 : 0) | opcode];
  if (bytes.length <= 125) header.push(0x80 | bytes.length);
  else if (bytes.length <= 65_535) header.push(0x80 | 126, bytes.length >> 8, bytes.length & 255);
  else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    header.push(0x80 | 127, ...length);
  }
  return Buffer.concat([Buffer.from(header), mask, bytes.map((byte, index) => byte ^ (mask[index & 3] as number))]);
}

/** `received` is what came after the handshake, as it goes over the wire. */
interface RawClient {
  socket: NetSocket;
  received(): Buffer;
}

/** With `enabled: false` the transports are the library's own. */
export async function openWebSocketRig({
  enabled = true,
  ...options
}: Partial<ServerOptions> & { enabled?: boolean } = {}) {
  const httpServer = createServer();
  const server = new Server(options);
  server.attach(httpServer, { path: '/socket.io' });
  const path = new FastPath({ enabled, engine: server, logger });
  await path.open();
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const { port } = httpServer.address() as AddressInfo;
  const clients: NetSocket[] = [];
  return {
    server,
    path,
    /** The client's end as a bare socket, the server's as Engine.IO's connection, its transport and its socket. */
    async open() {
      const accepted = once(httpServer, 'connection') as Promise<[NetSocket]>;
      const connected = once(server, 'connection') as Promise<[EngineConnection]>;
      const client = await dial(port);
      clients.push(client.socket);
      const [[socket], [engine]] = await Promise.all([accepted, connected]);
      const { transport } = engine;
      assert.equal(transport instanceof WebSocketTransport, enabled);
      // OPEN is on its way until then.
      await until(() => transport.writable && client.received().includes('"maxPayload"'));
      const opened = client.received().length;
      return { engine, transport, socket, client: client.socket, received: () => client.received().subarray(opened) };
    },
    close() {
      for (const client of clients) client.destroy();
      server.close();
      httpServer.close();
    },
  };
}

async function dial(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  let chunks: Buffer[] = [];
  const bytes = () => {
    if (chunks.length > 1) chunks = [Buffer.concat(chunks)];
    return chunks[0] ?? Buffer.alloc(0);
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    chunks.push(chunk);
  });
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  await until(() => bytes().includes('\r\n\r\n') || socket.destroyed);
  const head = bytes().indexOf('\r\n\r\n') + 4;
  return { socket, received: () => bytes().subarray(head) };
}
