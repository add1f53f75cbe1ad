/** The Socket.IO server itself: how it is set up, and how it ends. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { LIMITS } from '@maru/protocol';
import { Server } from 'socket.io';
import type { ChatIo } from './connection.ts';
import { type EngineTransport, refuseUpgrade } from './handshake-guard.ts';
import { packetParser } from './packet-parser.ts';
import { type SessionRoute, sessionRouteOf } from './session-route.ts';

const PATH = '/socket.io';
/** An idle connection is pinged so often, and given up after so long without an answer. */
const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 20_000;
/** A connection that has not said who it is by then is closed. */
const CONNECT_TIMEOUT_MS = 10_000;
/** When the server ends, sockets that are still there after so long are destroyed. */
const END_WAIT_MS = 500;

export function createIo(
  httpServer: HttpServer,
  options: { node: string; sessionRoute: SessionRoute; allowedOrigins: ReadonlySet<string> },
): ChatIo {
  trackSockets(httpServer);
  const cors = { origin: [...options.allowedOrigins], methods: ['GET', 'POST'] };
  const io: ChatIo = new Server(httpServer, {
    serveClient: false,
    transports: ['polling', 'websocket'],
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: LIMITS.packetBytesMax,
    perMessageDeflate: false,
    parser: packetParser,
    path: PATH,
    destroyUpgrade: false,
    // Foreign pages are refused by the handshake guard, before the upgrade; here only the headers that listed ones need to read answers.
    // An upgrade is no matter of CORS.
    cors: ({ headers }, decide) => decide(null, 'upgrade' in headers ? { origin: false } : cors),
  });
  // Engine.IO would end such a socket a second later, and wait for a peer that may never end its side.
  httpServer.on('upgrade', ({ url }, socket) => {
    if (!url?.startsWith(`${PATH}/`)) refuseUpgrade(socket, 404);
  });
  const generate = io.engine.generateId.bind(io.engine);
  io.engine.generateId = (request) =>
    `${sessionRouteOf(options.sessionRoute, options.node, request.socket)}.${generate(request)}`;
  io.engine.on('initial_headers', writeOnce);
  return io;
}

/** An opened WebSocket and what Engine.IO says on it first, in the same turn, leave as one write. */
function writeOnce(
  _headers: object,
  { headers, socket, _query }: IncomingMessage & { _query: { EIO?: string } },
): void {
  // To another version of the protocol it writes an error, and destroys the socket without waiting for it to leave.
  if (headers.upgrade === undefined || _query.EIO !== '4') return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

/**
 * Ends every transport, so that clients come back elsewhere by themselves, then the server. Peers that do not answer (a frozen
 * machine, a cut network) must not hold it up.
 */
export async function closeIo(io: ChatIo, httpServer: HttpServer): Promise<void> {
  const { clients } = io.engine as unknown as { clients: Record<string, EngineTransport> };
  for (const transport of Object.values(clients)) transport.close(true);
  const closed = new Promise<void>((resolve) => httpServer.close(() => resolve()));
  const patience = setTimeout(() => {
    httpServer.closeAllConnections();
    for (const socket of openSockets.get(httpServer) ?? []) socket.destroy();
  }, END_WAIT_MS);
  io.engine.close();
  await closed;
  clearTimeout(patience);
}

/** Sockets of each server, upgraded ones too, which it no longer counts as its own. */
const openSockets = new WeakMap<HttpServer, Set<Duplex>>();

function trackSockets(httpServer: HttpServer): void {
  const sockets = new Set<Duplex>();
  openSockets.set(httpServer, sockets);
  function forget(this: Duplex): void {
    sockets.delete(this);
  }
  httpServer.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', forget);
  });
}
