/**
 * Socket.IO at the edge: who may open a connection, how it begins, and how each event is answered. Everything behind it
 * speaks sessions.
 */
import { type Server as HttpServer, type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Ack, LIMITS, MaruError, type SessionData } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { Server } from 'socket.io';
import type { CutReason } from '../delivery/member.ts';
import type { Identity, Tokens } from '../identity/tokens.ts';
import type { BucketSpec } from '../limits/token-bucket.ts';
import type { Membership } from '../rooms/membership.ts';
import { boundedParser } from './bounded-parser.ts';
import { isOriginAllowed } from './origin.ts';
import type { SessionRegistry } from './registry.ts';
import { type Handlers, handleRequest } from './requests.ts';
import { Session } from './session.ts';
import { type ChatIo, type ChatSocket, createSocketWire } from './socket-wire.ts';

/** An idle connection is pinged so often, and given up after so long without an answer. */
export const PING_INTERVAL_MS = 25_000;
export const PING_TIMEOUT_MS = 20_000;
/** A connection that has not said who it is by then is closed. */
const CONNECT_TIMEOUT_MS = 10_000;
const HALF_OPEN_MAX = 2_000;

export interface ChatServer {
  /** Engine.IO connections, signed in or not. */
  connections(): number;
  /** From now on new handshakes are sent elsewhere. */
  refuseHandshakes(): void;
  close(): Promise<void>;
}

type EngineRequest = IncomingMessage & { _query: { sid?: string } };

export interface ChatMetrics {
  connected(): void;
  disconnected(reason: string): void;
  refused(reason: 'origin' | 'unauthenticated' | 'connections' | 'half_open' | 'keys' | 'draining'): void;
  request(event: string, outcome: string, seconds: number): void;
  cut(reason: CutReason): void;
}

export function createIo(
  httpServer: HttpServer,
  options: { node: string; allowedOrigins: ReadonlySet<string> },
): ChatIo {
  const io: ChatIo = new Server(httpServer, {
    serveClient: false,
    transports: ['polling', 'websocket'],
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: LIMITS.packetBytesMax,
    perMessageDeflate: false,
    parser: boundedParser,
    // Foreign pages are refused below, before the upgrade; here only the headers that listed ones need to read answers.
    cors: { origin: [...options.allowedOrigins], methods: ['GET', 'POST'] },
  });
  // The edge reads the node's name from the sid, so that polling needs neither a cookie nor the client's address.
  const generate = io.engine.generateId.bind(io.engine);
  io.engine.generateId = async (request) => `${options.node}.${await generate(request)}`;
  return io;
}

export function createChatServer(options: {
  io: ChatIo;
  tokens: Tokens;
  registry: SessionRegistry;
  membership: Membership;
  handlers: Handlers;
  allowedOrigins: ReadonlySet<string>;
  eventSpec: BucketSpec;
  /** What `session.limits` tells. */
  limits: Record<string, number>;
  isDegraded: () => boolean;
  onClosed: (session: Session) => void;
  logger: Logger;
  metrics: ChatMetrics;
  now: () => number;
}): ChatServer {
  const { io, tokens, registry, membership, logger, metrics, now } = options;
  const identities = new WeakMap<ChatSocket, Identity>();
  const sessions = new WeakMap<ChatSocket, Session>();
  const ready = new WeakMap<Session, Promise<void>>();
  let refusing = false;

  guardHandshakes();
  io.use((socket, next) => void authenticate(socket, next));
  io.on('connection', (socket) => void begin(socket));

  /** Before anything is opened, on both transports. Later requests of a connection are checked too, at no cost. */
  function guardHandshakes(): void {
    io.engine.use((request: EngineRequest, response: ServerResponse, next: () => void) => {
      if (!isOriginAllowed(request.headers.origin, request.headers.host, options.allowedOrigins)) {
        metrics.refused('origin');
        return refuse(response, 403, 'this origin is not allowed');
      }
      const handshake = request._query.sid === undefined;
      if (handshake && refusing) {
        metrics.refused('draining');
        return refuse(response, 503, 'this node is leaving');
      }
      if (handshake && io.engine.clientsCount - registry.size > HALF_OPEN_MAX) {
        metrics.refused('half_open');
        return refuse(response, 503, 'too many connections are being opened');
      }
      next();
    });
  }

  async function authenticate(socket: ChatSocket, next: (error?: Error & { data?: unknown }) => void): Promise<void> {
    try {
      const identity = await tokens.verify(socket.handshake.auth.token);
      identities.set(socket, identity);
      next();
    } catch (error) {
      if (error instanceof MaruError && error.code === 'unauthenticated') {
        metrics.refused('unauthenticated');
        return next(Object.assign(new Error(error.message), { data: error.toBody() }));
      }
      // A passing condition never refuses, because a refused client gives up for good: it is let go, to come again.
      metrics.refused('keys');
      logger.warn({ err: error }, 'a token could not be checked');
      socket.conn.close();
    }
  }

  async function begin(socket: ChatSocket): Promise<void> {
    const identity = identities.get(socket) as Identity;
    const session = new Session({
      id: socket.id,
      user: identity.user,
      roles: identity.roles,
      expiresAtMs: identity.expiresAtS * 1_000,
      wire: createSocketWire(socket),
      eventSpec: options.eventSpec,
      nowMs: now(),
      onCut: metrics.cut,
    });
    if (!registry.add(session)) {
      metrics.refused('connections');
      return session.cut('too_many_connections');
    }
    metrics.connected();
    sessions.set(socket, session);
    socket.on('disconnect', (reason) => {
      registry.remove(session);
      membership.leaveAll(session);
      options.onClosed(session);
      metrics.disconnected(reason);
    });
    socket.onAny(onEvent);
    const opened = open(socket, session);
    ready.set(session, opened);
    try {
      await opened;
      ready.delete(session);
    } catch (error) {
      logger.error({ err: error }, 'a connection could not be opened');
      session.cut('store');
    }
  }

  /** `session` is the first event, and what a resume missed follows it; requests that came earlier are held until then. */
  async function open(socket: ChatSocket, session: Session): Promise<void> {
    let told = false;
    const tellDegraded = () => {
      if (!told) session.notice({ code: 'degraded' });
      told = true;
    };
    if (options.isDegraded()) tellDegraded();
    const resumption = await membership.resume(session, socket.handshake.auth.resume, tellDegraded);
    const { user, roles } = session;
    const data: SessionData = {
      user: { ...user, roles },
      sessionId: session.id,
      limits: options.limits,
      rooms: resumption.rooms,
    };
    session.emit('session', data);
    // The token and the positions have done their work; a connection need not hold them for as long as it lives.
    socket.handshake.auth = {};
    resumption.deliver().catch((error: unknown) => {
      logger.error({ err: error }, 'what a resume missed could not be delivered');
      session.cut('store');
    });
  }

  /** One function for all connections, so that none holds closures of its own. */
  function onEvent(this: ChatSocket, event: unknown, ...rest: unknown[]): void {
    const session = sessions.get(this);
    if (session === undefined || session.closed) return;
    const acknowledge = typeof rest.at(-1) === 'function' ? (rest.pop() as (ack: Ack<unknown>) => void) : () => {};
    const startedAt = performance.now();
    const label = typeof event === 'string' && Object.hasOwn(options.handlers, event) ? event : 'unknown';
    const waitMs = session.takeEvent(now());
    const run = async () => {
      try {
        if (waitMs > 0)
          throw new MaruError('rate_limited', 'too many events on this connection', { retryAfterMs: waitMs });
        const { data, afterwards } = await handleRequest(options.handlers, session, event, rest);
        acknowledge({ ok: true, data });
        afterwards?.();
        metrics.request(label, 'ok', (performance.now() - startedAt) / 1_000);
      } catch (error) {
        const known = error instanceof MaruError ? error : new MaruError('internal', 'something went wrong here');
        if (!(error instanceof MaruError))
          logger.error({ err: error, event: label, session: session.id }, 'a request failed');
        acknowledge({ ok: false, error: known.toBody() });
        metrics.request(label, known.code, (performance.now() - startedAt) / 1_000);
      }
      session.checkBacklog();
    };
    const opened = ready.get(session);
    if (opened === undefined) void run();
    else opened.then(run, () => {});
  }

  return {
    connections: () => io.engine.clientsCount,
    refuseHandshakes() {
      refusing = true;
    },
    close: () => closeIo(io),
  };
}

/** Ends every transport, so that clients come back elsewhere by themselves, then the server. */
async function closeIo(io: ChatIo): Promise<void> {
  for (const client of Object.values(
    (io.engine as unknown as { clients: Record<string, { close(discard: boolean): void }> }).clients,
  )) {
    client.close(true);
  }
  io.engine.close();
  await new Promise<void>((resolve) => io.httpServer.close(() => resolve()));
}

/** Answers before Engine.IO does, which knows fewer ways to say no. On an upgrade there is only the socket to write to. */
function refuse(response: ServerResponse | { socket: Duplex }, status: 403 | 503, reason: string): void {
  if (response instanceof ServerResponse) {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(reason);
    return;
  }
  const title = status === 403 ? 'Forbidden' : 'Service Unavailable';
  response.socket.end(`HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
