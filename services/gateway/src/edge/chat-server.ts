/**
 * Socket.IO at the edge: who may open a connection, how it begins, and how each event is answered. Everything behind it
 * speaks sessions.
 */
import type { Server as HttpServer } from 'node:http';
import { type Ack, type ErrorBody, MaruError, type SessionData } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { CutReason } from '../delivery/member.ts';
import type { Tokens } from '../identity/tokens.ts';
import type { BucketSpec } from '../limits/token-bucket.ts';
import { type Handlers, isRequestName, prepareRequest } from '../requests/dispatch.ts';
import type { Membership, Reply } from '../rooms/subscriptions.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { Session } from '../sessions/session.ts';
import { type ChatIo, type ChatSocket, SocketConnection } from './connection.ts';
import type { FastPath } from './fast-path.ts';
import { type EngineTransport, guardHandshakes, type RefusalReason } from './handshake-guard.ts';
import { closeIo } from './io-server.ts';
import { AckId, decoderOf } from './packet-parser.ts';
import { ackPacket } from './packets.ts';

const LAST_WORDS_MS = 1_000;
/** Requests held until a resume is answered. They were checked before, so each is at most as large as a message. */
const HELD_REQUESTS_MAX = 64;

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
  /** Sessions whose resume is being answered, with the number of requests held until then. */
  const openings = new Map<Session, { done: Promise<void>; held: number }>();
  const guard = guardHandshakes(io, { allowedOrigins: options.allowedOrigins, onRefused: metrics.refused });

  const onCut = (reason: CutReason, { id }: Session) => {
    metrics.cut(reason);
    // A drain cuts everybody, and says so once itself.
    logger[reason === 'draining' ? 'debug' : 'info']({ connection: id, reason }, 'a connection was cut');
  };

  io.use((socket, next) => void authenticate(socket, next));
  io.on('connection', (socket) => {
    try {
      begin(socket);
    } catch (error) {
      logger.error({ err: error, connection: socket.id }, 'a connection could not begin');
      socket.conn.close(true);
    }
  });

  async function authenticate(socket: ChatSocket, next: (error?: Error & { data?: unknown }) => void): Promise<void> {
    const transport = socket.conn as unknown as EngineTransport;
    if (!guard.signIn(transport)) return transport.close(true);
    try {
      socket.data.identity = await tokens.verify(socket.handshake.auth.token);
      next();
    } catch (error) {
      if (error instanceof MaruError && error.code === 'unauthenticated') {
        metrics.refused('unauthenticated');
        guard.signInFailed(transport);
        return next(Object.assign(new Error(error.message), { data: error.toBody() }));
      }
      // A passing condition never refuses, because a refused client gives up for good: it is let go, to come again.
      metrics.refused('keys');
      logger.warn({ err: error, connection: socket.id }, 'a token could not be checked');
      socket.conn.close();
    }
  }

  function begin(socket: ChatSocket): void {
    const { identity } = socket.data;
    if (identity === undefined) throw new Error('a connection that nobody checked');
    guard.signedIn(socket.conn as unknown as EngineTransport);
    const wire = new SocketConnection(socket, options.fastPath);
    const session = new Session({
      id: socket.id,
      user: identity.user,
      roles: identity.roles,
      expiresAtMs: identity.expiresAtS * 1_000,
      wire,
      eventSpec: options.eventSpec,
      nowMs: now(),
      onCut,
    });
    if (!registry.add(session)) {
      metrics.refused('connections');
      wire.greet();
      session.cut('too_many_connections');
      return;
    }
    metrics.connected();
    logger.debug({ connection: session.id, user: session.user.id }, 'connected');
    socket.data = { session };
    socket.on('disconnect', onDisconnect);
    socket.onAny(onEvent);
    decoderOf(socket.handshake.auth)?.handTo(session, takeRequest);
    const { resume } = socket.handshake.auth;
    // The token, the positions and the headers have done their work; a connection need not hold them for as long as it lives.
    Object.assign(socket, { handshake: NO_HANDSHAKE });
    if (resume === undefined) {
      if (options.isDegraded()) session.notice({ code: 'degraded' });
      tellSession(session, {});
      return;
    }
    const opened = open(session, resume);
    openings.set(session, { done: opened, held: 0 });
    opened
      .catch((error: unknown) => {
        logger.error({ err: error, connection: session.id }, 'a connection could not be opened');
        session.cut('store');
      })
      .finally(() => openings.delete(session));
    // The store may take its time.
    wire.greet();
  }

  function tellSession(session: Session, rooms: SessionData['rooms']): void {
    const { user, roles, id } = session;
    const data: SessionData = { user: { ...user, roles }, sessionId: id, limits: options.limits, rooms };
    session.emit('session', data);
    session.opened = true;
  }

  /** `session` is the first event, and what a resume missed follows it; requests that came earlier are held until then. */
  async function open(session: Session, wanted: unknown): Promise<void> {
    let told = false;
    const tellDegraded = () => {
      if (!told) session.notice({ code: 'degraded' });
      told = true;
    };
    if (options.isDegraded()) tellDegraded();
    const resumption = await membership.resume(session, wanted, tellDegraded);
    if (session.closed) return;
    tellSession(session, resumption.rooms);
    if (told && !options.isDegraded()) session.notice({ code: 'recovered' });
    resumption.deliver().catch((error: unknown) => {
      logger.error({ err: error, connection: session.id }, 'what a resume missed could not be delivered');
      session.cut('store');
    });
  }

  // One function each for all connections, so that none holds closures of its own.
  function onDisconnect(this: ChatSocket, reason: string): void {
    const { session } = this.data;
    if (session === undefined) return;
    registry.remove(session);
    membership.leaveAll(session);
    options.onClosed(session);
    metrics.disconnected(reason);
    logger.debug({ connection: session.id, reason }, 'disconnected');
    // A transport without a session has nothing more to say; what was sent last gets a moment to leave.
    if (reason.endsWith('namespace disconnect')) setTimeout(() => this.conn.close(true), LAST_WORDS_MS);
  }

  /** What comes through the library: what is no plain request. */
  function onEvent(this: ChatSocket, event: unknown, ...rest: unknown[]): void {
    const { session } = this.data;
    if (session === undefined) return;
    const ackId = rest.at(-1) instanceof AckId ? (rest.pop() as AckId).id : undefined;
    takeRequest(session, event, rest, ackId);
  }

  function takeRequest(session: Session, event: unknown, payloads: unknown[], ackId: number | undefined): void {
    if (session.closed) return;
    const opening = openings.size === 0 ? undefined : openings.get(session);
    const call = prepare(session, event, payloads, opening);
    if (opening === undefined) void run(session, call, ackId);
    // All begin in the turn in which the session was sent, in their order; what comes later begins later.
    else {
      opening.done.then(
        () => void run(session, call, ackId),
        () => {
          // It was told, and the connection cut.
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
      // The answer, not the error: an error's stack holds on to the packet that led to it.
      return { label, refusal: toErrorBody(error, session, label) };
    }
  }

  async function run(session: Session, call: Call, ackId: number | undefined): Promise<void> {
    const startedAt = performance.now();
    let ack: Ack<unknown>;
    let afterwards: (() => void) | undefined;
    try {
      if ('refusal' in call) ack = { ok: false, error: call.refusal };
      else {
        const reply = await call.work();
        ack = { ok: true, data: reply.data };
        afterwards = reply.afterwards;
      }
    } catch (error) {
      ack = { ok: false, error: toErrorBody(error, session, call.label) };
    }
    if (ackId !== undefined) session.send(ackPacket(ackId, JSON.stringify(ack)));
    afterwards?.();
    metrics.request(call.label, ack.ok ? 'ok' : ack.error.code, (performance.now() - startedAt) / 1_000);
  }

  function toErrorBody(error: unknown, session: Session, label: string): ErrorBody {
    if (error instanceof MaruError) return error.toBody();
    logger.error({ err: error, event: label, connection: session.id }, 'a request failed');
    return new MaruError('internal', 'something went wrong here').toBody();
  }

  return {
    connections: () => io.engine.clientsCount,
    refuseHandshakes: guard.refuseAll,
    close: () => closeIo(io, httpServer),
  };
}

/** In the place of a handshake that nobody asks for any more. */
const NO_HANDSHAKE: ChatSocket['handshake'] = Object.freeze({
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
