/** Opens WebSockets and gives a test both ends, so that it can check the bytes on the wire. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket as NetSocket } from 'node:net';
import { createLogger } from '@maru/service-kit';
import { poll } from '@maru/service-kit/testing';
import { Server, type ServerOptions } from 'engine.io';
import { createTicker } from '../../cluster/ticker.ts';
import { FastPath } from '../fast-path.ts';
import { WebSocketTransport } from '../websocket-transport.ts';
import { upgradeRequest } from './upgrade-request.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

/** The parts of an Engine.IO connection that tests need. */
interface EngineConnection {
  readyState: string;
  writeBuffer: unknown[];
  transport: WebSocketTransport;
  send(data: string): void;
  close(discard?: boolean): void;
  on(event: string, listener: (...args: unknown[]) => void): void;
}

/** `received`: the raw bytes after the handshake. */
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
  const now = () => performance.now();
  const path = new FastPath({ enabled, engine: server, logger, now });
  await path.open(createTicker({ periodMs: 500, logger, now }));
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const { port } = httpServer.address() as AddressInfo;
  const clients: NetSocket[] = [];
  return {
    server,
    path,
    /**
     * Returns the client's raw socket and, for the server's end, the Engine.IO connection, the
     * transport and the socket.
     */
    async open() {
      const accepted = once(httpServer, 'connection') as Promise<[NetSocket]>;
      const connected = once(server, 'connection') as Promise<[EngineConnection]>;
      const client = await dial(port);
      clients.push(client.socket);
      const [[socket], [engine]] = await Promise.all([accepted, connected]);
      const { transport } = engine;
      assert.equal(transport instanceof WebSocketTransport, enabled);
      // Wait until the client has received Engine.IO's OPEN packet.
      await poll('OPEN', () => transport.writable && client.received().includes('"maxPayload"'));
      const opened = client.received().length;
      return { engine, transport, socket, client: client.socket, received: () => client.received().subarray(opened) };
    },
    /** Opens a session by long-polling. */
    async poll(): Promise<string> {
      const answer = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`);
      return JSON.parse((await answer.text()).slice(1)).sid;
    },
    /**
     * A WebSocket for a session that is there, whose client keeps its side open, and the server's
     * end of its socket.
     */
    async upgrade(sid: string) {
      const accepted = once(httpServer, 'connection') as Promise<[NetSocket]>;
      const client = await dial(port, `/socket.io/?EIO=4&transport=websocket&sid=${sid}`, true);
      clients.push(client.socket);
      const [socket] = await accepted;
      return { socket, client: client.socket, received: client.received };
    },
    close() {
      for (const client of clients) client.destroy();
      server.close();
      path.close();
      httpServer.close();
    },
  };
}

/** Opens a WebSocket on a bare socket, and waits for the handshake. */
async function dial(port: number, path?: string, allowHalfOpen = false): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  let chunks: Buffer[] = [];
  const bytes = () => {
    if (chunks.length > 1) chunks = [Buffer.concat(chunks)];
    return chunks[0] ?? Buffer.alloc(0);
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    chunks.push(chunk);
  });
  socket.write(upgradeRequest(path === undefined ? {} : { path }));
  await poll('the answer', () => bytes().includes('\r\n\r\n') || socket.destroyed);
  const head = bytes().indexOf('\r\n\r\n') + 4;
  return { socket, received: () => bytes().subarray(head) };
}
