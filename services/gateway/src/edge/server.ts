/**
 * The Socket.IO server. It opens and closes connections, checks who may connect, and hands requests
 * over. It does not know sessions, rooms or requests: `EdgeHandlers` decides about them.
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { LIMITS, MaruError, type ServerEvents } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { type DefaultEventsMap, Server } from 'socket.io';
import type { Ticker } from '../cluster/ticker.ts';
import type { NodeLimit } from '../limits/node-limits.ts';
import { type ClientSocket, type Connection, SocketConnection, type SocketState } from './connection.ts';
import { createEphemeral, createEphemeralAdapter, type Ephemeral, type EphemeralStore } from './ephemeral.ts';
import { FastPath } from './fast-path.ts';
import { guardHandshakes, type HandshakeRefusal, refuseUpgrade } from './handshake-guard.ts';
import { decoderOf, packetParser, type RequestSink } from './packet-parser.ts';
import { type SessionRoute, sessionRouteOf } from './session-route.ts';

/** A transport that is open. It may have no connection yet. */
export interface Transport {
  close(discard: boolean): void;
}

/** What a client sends with its handshake, unchecked. */
export interface Auth {
  token?: unknown;
  resume?: unknown;
  /** Names the program for operators. */
  program?: unknown;
  /** If true, the client retries by itself after a retryable `connect_error`. */
  retries?: unknown;
}

/** `Owner` is what the rest of the gateway attaches to a connection. */
export interface EdgeHandlers<Identity, Owner> {
  transportOpened(transport: Transport): void;
  transportClosed(transport: Transport): void;
  /**
   * Checks who connects. A MaruError `unauthenticated` refuses the client, which then gives up. Any
   * other error is temporary: see `refuseForNow`. Undefined closes the transport silently.
   */
  authenticate(transport: Transport, auth: Auth): Promise<Identity | undefined>;
  /** Undefined if the connection was ended. */
  connected(transport: Transport, connection: Connection, identity: Identity, auth: Auth): Owner | undefined;
  /** Called without `this`. */
  readonly request: RequestSink<Owner>;
  disconnected(owner: Owner, reason: string): void;
}

export interface EdgeOptions<Identity, Owner> {
  httpServer: HttpServer;
  node: string;
  sessionRoute: SessionRoute;
  allowedOrigins: ReadonlySet<string>;
  fastPath: boolean;
  pingIntervalMs: number;
  /** A transport whose client answers no ping in this time is closed. */
  pingTimeoutMs: number;
  handlers: EdgeHandlers<Identity, Owner>;
  /** The limit of the node that one more transport would exceed. */
  limitReached: (transports: number) => NodeLimit | undefined;
  onRefused: (reason: HandshakeRefusal) => void;
  ephemeral: EphemeralStore;
  logger: Logger;
  now: () => number;
}

export interface Edge {
  readonly ephemeral: Ephemeral;
  readonly fastPath: Pick<FastPath, 'state' | 'writes'>;
  /** Open transports, with or without a connection. */
  readonly transports: number;
  /** Call this before the HTTP server listens. Never rejects. */
  open(ticker: Ticker): Promise<void>;
  /** From now on new handshakes are answered 503. */
  refuseHandshakes(): void;
  /** Closes all transports, so that clients reconnect elsewhere, then the HTTP server. */
  close(): Promise<void>;
}

const PATH = '/socket.io';
/** A transport without a connection is closed after this time. */
const CONNECT_TIMEOUT_MS = 10_000;
/** After DISCONNECT the transport stays open this long, so that the last packets leave. */
const LAST_PACKETS_MS = 1_000;
/** At the end, sockets that are still open after this time are destroyed. */
const END_WAIT_MS = 500;

export function createEdge<Identity, Owner>(options: EdgeOptions<Identity, Owner>): Edge {
  const { httpServer, handlers, logger, now } = options;
  const openSockets = trackSockets(httpServer);
  const io = createIo(httpServer, options);
  const fastPath = new FastPath({ enabled: options.fastPath, engine: io.engine, logger, now });
  const guard = guardHandshakes(io.engine, {
    ...options,
    limitReached: () => options.limitReached(io.engine.clientsCount),
  });
  io.engine.on('connection', (transport: Transport & { on(event: 'close', listener: () => void): void }) => {
    handlers.transportOpened(transport);
    transport.on('close', onTransportClosed);
  });
  io.adapter(createEphemeralAdapter(options.ephemeral));

  io.use(async (socket, next) => {
    const transport = socket.conn as unknown as Transport;
    try {
      const identity = await handlers.authenticate(transport, socket.handshake.auth);
      if (identity === undefined) return transport.close(true);
      socket.data.identity = identity;
      next();
    } catch (error) {
      const refusal = error instanceof MaruError ? error : new MaruError('internal', 'something went wrong here');
      if (refusal.code !== 'unauthenticated' && (socket.handshake.auth as Auth).retries !== true)
        return refuseForNow(socket.conn);
      next(Object.assign(new Error(refusal.message), { data: refusal.toBody() }));
    }
  });
  io.on('connection', (socket) => {
    try {
      begin(socket);
    } catch (error) {
      logger.error({ err: error, connection: socket.id }, 'a connection failed to begin');
      socket.conn.close(true);
    }
  });

  function begin(socket: ClientSocket): void {
    const { identity } = socket.data;
    if (identity === undefined) throw new Error('the connection has no identity');
    const connection = new SocketConnection(socket, fastPath.writes);
    const { auth } = socket.handshake;
    const transport = socket.conn as unknown as Transport;
    const owner = handlers.connected(transport, connection, identity as Identity, auth);
    if (owner === undefined) {
      if (socket.disconnected) closeLater(transport);
      return;
    }
    socket.data = { owner };
    socket.on('disconnect', onDisconnect);
    decoderOf(auth)?.receive(owner, handlers.request);
    // The token, the resume positions and the headers are no longer needed. They are most of an
    // idle connection's memory.
    Object.assign(socket, { handshake: EMPTY_HANDSHAKE });
  }

  // One function each for all connections, so that a connection has no closures of its own.
  function onTransportClosed(this: Transport): void {
    handlers.transportClosed(this);
  }
  function onDisconnect(this: ClientSocket, reason: string): void {
    if (this.data.owner !== undefined) handlers.disconnected(this.data.owner as Owner, reason);
    if (reason.endsWith('namespace disconnect')) closeLater(this.conn);
  }

  return {
    ephemeral: createEphemeral(io),
    fastPath,
    get transports() {
      return io.engine.clientsCount;
    },
    open: (ticker) => fastPath.open(ticker),
    refuseHandshakes: guard.refuseAll,
    async close() {
      io.engine.close();
      const closed = new Promise<void>((resolve) => httpServer.close(() => resolve()));
      // Peers that do not answer (a frozen machine, a cut network) must not delay the end.
      const timer = setTimeout(() => {
        httpServer.closeAllConnections();
        for (const socket of openSockets) socket.destroy();
      }, END_WAIT_MS);
      await closed;
      clearTimeout(timer);
      fastPath.close();
    },
  };
}

/** Closes the transport after DISCONNECT. */
function closeLater(transport: Transport): void {
  setTimeout(() => transport.close(true), LAST_PACKETS_MS);
}

/**
 * After CONNECT_ERROR, socket.io-client never tries again by itself. After a packet that Engine.IO
 * does not know, it reports `connect_error` and tries again.
 */
function refuseForNow(engine: ClientSocket['conn']): void {
  const { sendPacket } = engine as unknown as { sendPacket(type: string): void };
  sendPacket.call(engine, 'unknown');
  engine.close();
}

function createIo(
  httpServer: HttpServer,
  options: Pick<
    EdgeOptions<never, never>,
    'node' | 'sessionRoute' | 'allowedOrigins' | 'pingIntervalMs' | 'pingTimeoutMs'
  >,
) {
  const cors = { origin: [...options.allowedOrigins], methods: ['GET', 'POST'] };
  const io = new Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, SocketState>(httpServer, {
    serveClient: false,
    transports: ['polling', 'websocket'],
    pingInterval: options.pingIntervalMs,
    pingTimeout: options.pingTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: LIMITS.packetBytesMax,
    perMessageDeflate: false,
    parser: packetParser,
    path: PATH,
    destroyUpgrade: false,
    // The handshake guard refuses foreign pages. These headers only let listed pages read answers.
    // CORS does not apply to upgrades.
    cors: ({ headers }, decide) => decide(null, 'upgrade' in headers ? { origin: false } : cors),
  });
  // Engine.IO would end such a socket a second later, and would wait for a peer that may never end
  // its side.
  httpServer.on('upgrade', ({ url }, socket) => {
    if (!url?.startsWith(`${PATH}/`)) refuseUpgrade(socket, 404);
  });
  // Polls hold texts that users wrote. Engine.IO's own requests do not reach the HTTP API.
  httpServer.prependListener('request', (_request, response) => {
    if (!response.headersSent) response.setHeader('X-Content-Type-Options', 'nosniff');
  });
  const generate = io.engine.generateId.bind(io.engine);
  io.engine.generateId = (request) =>
    `${sessionRouteOf(options.sessionRoute, options.node, request.socket)}.${generate(request)}`;
  io.engine.on('initial_headers', writeOnce);
  return io;
}

/**
 * The answer to an upgrade and Engine.IO's first packet, which follows in the same turn, leave in
 * one write.
 */
function writeOnce(
  _headers: object,
  { headers, socket, _query }: IncomingMessage & { _query: { EIO?: string } },
): void {
  // For another protocol version Engine.IO writes an error and destroys the socket at once, so
  // corked bytes would be lost.
  if (headers.upgrade === undefined || _query.EIO !== '4') return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

/** All sockets of the HTTP server. After an upgrade it no longer tracks them itself. */
function trackSockets(httpServer: HttpServer): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>();
  function forget(this: Duplex): void {
    sockets.delete(this);
  }
  httpServer.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', forget);
  });
  return sockets;
}

const EMPTY_HANDSHAKE: ClientSocket['handshake'] = Object.freeze({
  headers: {},
  time: '',
  address: '',
  xdomain: false,
  secure: false,
  issued: 0,
  url: '',
  query: {},
  auth: {},
});
