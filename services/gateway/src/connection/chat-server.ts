/**
 * Socket.IO at the edge: who may open a connection, how it begins, and how each event is answered. Everything behind it
 * speaks sessions.
 */
import type { Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Ack, type ErrorBody, LIMITS, MaruError, type SessionData } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import { Server } from 'socket.io';
import type { CutReason } from '../delivery/member.ts';
import type { Identity, Tokens } from '../identity/tokens.ts';
import type { BucketSpec } from '../limits/token-bucket.ts';
import type { Membership, Reply } from '../rooms/membership.ts';
import { boundedParser } from './bounded-parser.ts';
import type { FastPath } from './direct-write.ts';
import { type EngineTransport, guardHandshakes, type RefusalReason } from './handshake-guard.ts';
import type { SessionRegistry } from './registry.ts';
import { type Handlers, isRequestName, prepareRequest } from './requests.ts';
import { Session } from './session.ts';
import { type SessionRoute, sessionRouteOf } from './session-route.ts';
import { type ChatIo, type ChatSocket, SocketWire } from './socket-wire.ts';

/** An idle connection is pinged so often, and given up after so long without an answer. */
const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 20_000;
/** A connection that has not said who it is by then is closed. */
const CONNECT_TIMEOUT_MS = 10_000;
const LAST_WORDS_MS = 1_000;
/** Requests held until a resume is answered. They were checked before, so each is at most as large as a message. */
const HELD_REQUESTS_MAX = 64;
/** Transports that do not answer a close are dropped after so long. */
const CLOSE_WAIT_MS = 500;

export interface ChatServer {
  /** Engine.IO connections, signed in or not. */
  connections(): number;
  /** From now on new handshakes are sent elsewhere. */
  refuseHandshakes(): void;
  close(): Promise<void>;
}

/** A request that may run, or why it may not. */
type Call = { label: string } & ({ work: () => Promise<Reply<unknown>> } | { refusal: ErrorBody });

export interface ChatMetrics {
  connected(): void;
  disconnected(reason: string): void;
  refused(reason: RefusalReason | 'unauthenticated' | 'connections' | 'keys'): void;
  request(event: string, outcome: string, seconds: number): void;
  cut(reason: CutReason): void;
}

export function createIo(
  httpServer: HttpServer,
  options: { node: string; sessionRoute: SessionRoute; allowedOrigins: ReadonlySet<string> },
): ChatIo {
  trackSockets(httpServer);
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
  const generate = io.engine.generateId.bind(io.engine);
  io.engine.generateId = async (request) =>
    `${sessionRouteOf(options.sessionRoute, options.node, request.socket)}.${await generate(request)}`;
  return io;
}

export function createChatServer(options: {
  io: ChatIo;
  httpServer: HttpServer;
  tokens: Tokens;
  registry: SessionRegistry;
  membership: Membership;
  handlers: Handlers;
  allowedOrigins: ReadonlySet<string>;
  fastPath: FastPath;
  eventSpec: BucketSpec;
  /** What `session.limits` tells. */
  limits: Record<string, number>;
  isDegraded: () => boolean;
  onClosed: (session: Session) => void;
  logger: Logger;
  metrics: ChatMetrics;
  now: () => number;
}): ChatServer {
  const { io, httpServer, tokens, registry, membership, logger, metrics, now } = options;
  const identities = new WeakMap<ChatSocket, Identity>();
  const sessions = new WeakMap<ChatSocket, Session>();
  /** Sessions whose resume is being answered, with the number of requests held until then. */
  const openings = new WeakMap<Session, { done: Promise<void>; held: number }>();
  /** Transports that have signed in, or are about to. */
  const signingIn = new WeakSet<EngineTransport>();
  const guard = guardHandshakes(io, { allowedOrigins: options.allowedOrigins, onRefused: metrics.refused });

  const onCut = (reason: CutReason, { id }: Session) => {
    metrics.cut(reason);
    // A drain cuts everybody, and says so once itself.
    logger[reason === 'draining' ? 'debug' : 'info']({ connection: id, reason }, 'a connection was cut');
  };

  io.use((socket, next) => void authenticate(socket, next));
  io.on('connection', (socket) => {
    begin(socket).catch((error: unknown) =>
      logger.error({ err: error, connection: socket.id }, 'a connection could not begin'),
    );
  });

  async function authenticate(socket: ChatSocket, next: (error?: Error & { data?: unknown }) => void): Promise<void> {
    const transport = socket.conn as unknown as EngineTransport;
    if (signingIn.has(transport)) return transport.close(true);
    signingIn.add(transport);
    try {
      const identity = await tokens.verify(socket.handshake.auth.token);
      identities.set(socket, identity);
      next();
    } catch (error) {
      if (error instanceof MaruError && error.code === 'unauthenticated') {
        metrics.refused('unauthenticated');
        signingIn.delete(transport);
        return next(Object.assign(new Error(error.message), { data: error.toBody() }));
      }
      // A passing condition never refuses, because a refused client gives up for good: it is let go, to come again.
      metrics.refused('keys');
      logger.warn({ err: error, connection: socket.id }, 'a token could not be checked');
      socket.conn.close();
    }
  }

  async function begin(socket: ChatSocket): Promise<void> {
    const identity = identities.get(socket);
    if (identity === undefined) throw new Error('a connection that nobody checked');
    const transport = socket.conn as unknown as EngineTransport;
    guard.signedIn(transport);
    const session = new Session({
      id: socket.id,
      user: identity.user,
      roles: identity.roles,
      expiresAtMs: identity.expiresAtS * 1_000,
      wire: new SocketWire(socket, options.fastPath),
      eventSpec: options.eventSpec,
      nowMs: now(),
      onCut,
    });
    if (!registry.add(session)) {
      metrics.refused('connections');
      return session.cut('too_many_connections');
    }
    metrics.connected();
    logger.debug({ connection: session.id, user: session.user.id }, 'connected');
    sessions.set(socket, session);
    socket.on('disconnect', (reason) => {
      registry.remove(session);
      membership.leaveAll(session);
      options.onClosed(session);
      metrics.disconnected(reason);
      logger.debug({ connection: session.id, reason }, 'disconnected');
      // A transport without a session has nothing more to say; what was sent last gets a moment to leave.
      if (reason.endsWith('namespace disconnect')) setTimeout(() => transport.close(true), LAST_WORDS_MS);
    });
    socket.onAny(onEvent);
    const opened = open(socket, session);
    openings.set(session, { done: opened, held: 0 });
    try {
      await opened;
      openings.delete(session);
    } catch (error) {
      logger.error({ err: error, connection: session.id }, 'a connection could not be opened');
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
    if (session.closed) return;
    session.emit('session', data);
    session.opened = true;
    if (told && !options.isDegraded()) session.notice({ code: 'recovered' });
    // The token and the positions have done their work; a connection need not hold them for as long as it lives.
    socket.handshake.auth = {};
    resumption.deliver().catch((error: unknown) => {
      logger.error({ err: error, connection: session.id }, 'what a resume missed could not be delivered');
      session.cut('store');
    });
  }

  /** One function for all connections, so that none holds closures of its own. */
  function onEvent(this: ChatSocket, event: unknown, ...rest: unknown[]): void {
    const session = sessions.get(this);
    if (session === undefined || session.closed) return;
    const acknowledge = typeof rest.at(-1) === 'function' ? (rest.pop() as (ack: Ack<unknown>) => void) : () => {};
    const opening = openings.get(session);
    const call = prepare(session, event, rest, opening);
    const run = async () => {
      const startedAt = performance.now();
      const { ack, afterwards } = await answer(session, call);
      acknowledge(ack);
      afterwards?.();
      metrics.request(call.label, ack.ok ? 'ok' : ack.error.code, (performance.now() - startedAt) / 1_000);
      session.checkBacklog();
    };
    if (opening === undefined) void run();
    // All begin in the turn in which the session was sent, in their order; what comes later begins later.
    else {
      opening.done.then(
        () => void run(),
        () => {
          // `begin` has told, and cut the connection.
        },
      );
    }
  }

  /** Limits and checks at once, so that of what is refused nothing needs to be kept. */
  function prepare(session: Session, event: unknown, payloads: unknown[], opening: { held: number } | undefined): Call {
    const label = isRequestName(event) ? event : 'unknown';
    try {
      const waitMs = session.takeEvent(now());
      if (waitMs > 0)
        throw new MaruError('rate_limited', 'too many events on this connection', { retryAfterMs: waitMs });
      if (opening !== undefined && ++opening.held > HELD_REQUESTS_MAX) {
        throw new MaruError('unavailable', 'the connection is still being resumed', { retryAfterMs: 1_000 });
      }
      return { label, work: prepareRequest(options.handlers, session, event, payloads) };
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      // The answer, not the error: an error's stack holds on to the packet that led to it.
      return { label, refusal: error.toBody() };
    }
  }

  async function answer(
    session: Session,
    call: Call,
  ): Promise<{ ack: Ack<unknown>; afterwards?: (() => void) | undefined }> {
    try {
      if ('refusal' in call) return { ack: { ok: false, error: call.refusal } };
      const { data, afterwards } = await call.work();
      return { ack: { ok: true, data }, afterwards };
    } catch (error) {
      if (error instanceof MaruError) return { ack: { ok: false, error: error.toBody() } };
      logger.error({ err: error, event: call.label, connection: session.id }, 'a request failed');
      return { ack: { ok: false, error: new MaruError('internal', 'something went wrong here').toBody() } };
    }
  }

  return {
    connections: () => io.engine.clientsCount,
    refuseHandshakes: guard.refuseAll,
    close: () => closeIo(io, httpServer),
  };
}

/**
 * Ends every transport, so that clients come back elsewhere by themselves, then the server. Peers that do not answer (a frozen
 * machine, a cut network) must not hold it up.
 */
async function closeIo(io: ChatIo, httpServer: HttpServer): Promise<void> {
  const { clients } = io.engine as unknown as { clients: Record<string, EngineTransport> };
  for (const transport of Object.values(clients)) transport.close(true);
  const closed = new Promise<void>((resolve) => httpServer.close(() => resolve()));
  const patience = setTimeout(() => {
    httpServer.closeAllConnections();
    for (const socket of openSockets.get(httpServer) ?? []) socket.destroy();
  }, CLOSE_WAIT_MS);
  io.engine.close();
  await closed;
  clearTimeout(patience);
}

/** Sockets of each server, upgraded ones too, which it no longer counts as its own. */
const openSockets = new WeakMap<HttpServer, Set<Duplex>>();

function trackSockets(httpServer: HttpServer): void {
  const sockets = new Set<Duplex>();
  openSockets.set(httpServer, sockets);
  httpServer.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}
