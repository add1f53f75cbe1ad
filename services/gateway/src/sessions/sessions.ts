/** Begins and ends sessions: checks tokens, answers resumes, and leaves rooms at the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { MaruError, type SessionData } from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { Connection } from '../edge/connection.ts';
import { eventPacket } from '../edge/packets.ts';
import type { Auth, EdgeHandlers, Transport } from '../edge/server.ts';
import type { Identity, Tokens } from '../identity/tokens.ts';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { ConnectionSlots } from '../limits/connection-slots.ts';
import { createKeyedLimit, type KeyedLimit } from '../limits/keyed-limit.ts';
import type { BucketSpec } from '../limits/token-bucket.ts';
import type { ResumeRooms } from '../rooms/resume.ts';
import { CONNECTIONS_RETRY_MS, ENDS, type EndReason } from './ends.ts';
import { expiryOf } from './expiry.ts';
import { HalfOpenTransports } from './half-open.ts';
import { programOf } from './program.ts';
import type { SessionRegistry } from './registry.ts';
import { Session, type SessionOptions } from './session.ts';

/**
 * Why a connection was not accepted. A metric label. `connections`: those of the user on this node.
 * `keys`: the token's key was not available.
 */
export const REFUSAL_REASONS = [
  ...(['origin', 'half_open', 'draining', 'unauthenticated', 'connections', 'cluster_connections'] as const),
  ...(['keys', 'node_connections', 'node_memory'] as const),
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface SessionMetrics {
  connected(): void;
  disconnected(reason: string): void;
  /** Counts the refusal and logs it. */
  refused(reason: RefusalReason): void;
  ended(reason: EndReason): void;
}

export interface SessionsOptions {
  tokens: Pick<Tokens, 'verify'>;
  /** The identity's token was revoked after it was accepted. */
  isRevoked: (identity: Identity) => boolean;
  gate: PauseGate;
  registry: SessionRegistry;
  /** Counts the connections of each user over the whole cluster. */
  slots: ConnectionSlots;
  resumeRooms: ResumeRooms<Session>;
  connectionLimits: ConnectionLimits;
  /** On this node. */
  connectionsPerUserMax: number;
  /** `session.limits` */
  limits: Record<string, number>;
  /** `session.features` */
  features: readonly string[];
  isDegraded: () => boolean;
  onRequest: EdgeHandlers<Identity, Session>['request'];
  /** An act removed the connection's user from a room. */
  onRemoved: SessionOptions['onRemoved'];
  /** The connection is gone: leave its rooms. */
  onGone: (session: Session) => void;
  logger: Logger;
  metrics: SessionMetrics;
  now: () => number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}

/**
 * Refused events of a user on this node. Beyond it the user's connections are read more slowly, so
 * that refusing costs this node little: a flood waits at the client. All connections of the user
 * count together, because a flood that was cut comes back.
 */
const REFUSED_EVENTS: BucketSpec = { perSecond: 100, burst: 400 };
/**
 * Sign-ins of a user on this node. Beyond it they are delayed, never refused. The burst allows for
 * the connections of several nodes to come here at once.
 */
const signInsOf = (connectionsMax: number): BucketSpec => ({
  perSecond: Math.max(5, connectionsMax / 4),
  burst: Math.max(400, connectionsMax * 20),
});
const USERS_MAX = 100_000;

export class Sessions implements EdgeHandlers<Identity, Session> {
  readonly #options: SessionsOptions;
  /** The members of `session` that are the same for all sessions. */
  readonly #commonJson: string;
  readonly #halfOpen: HalfOpenTransports;
  /**
   * Events of a user's connections count together. So a flood over many connections, or over one
   * that reconnects repeatedly, is one flood.
   */
  readonly #userEvents: KeyedLimit;
  readonly #refusedEvents: KeyedLimit;
  readonly #signIns: KeyedLimit;
  readonly request: SessionsOptions['onRequest'];

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { limits, features } = options;
    this.#commonJson = JSON.stringify({ limits, features }).slice(1);
    this.#halfOpen = new HalfOpenTransports(() => options.metrics.refused('half_open'));
    const users = { keysMax: USERS_MAX, now: options.now };
    this.#userEvents = createKeyedLimit({ spec: options.connectionLimits.userEvents, ...users });
    this.#refusedEvents = createKeyedLimit({ spec: REFUSED_EVENTS, ...users });
    this.#signIns = createKeyedLimit({ spec: signInsOf(options.connectionsPerUserMax), ...users });
    this.request = options.onRequest;
  }

  transportOpened(transport: Transport): void {
    this.#halfOpen.opened(transport);
  }

  transportClosed(transport: Transport): void {
    this.#halfOpen.forget(transport);
    this.#options.slots.cancel(transport);
  }

  async authenticate(transport: Transport, auth: Auth): Promise<Identity | undefined> {
    const { tokens, registry, slots, metrics } = this.#options;
    if (!this.#halfOpen.beginAuthentication(transport)) return undefined;
    let identity: Identity;
    try {
      identity = await tokens.verify(auth.token);
    } catch (error) {
      metrics.refused(error instanceof MaruError && error.code === 'unauthenticated' ? 'unauthenticated' : 'keys');
      this.#halfOpen.refused(transport);
      throw error;
    }
    const { id } = identity.user;
    const waitMs = this.#signIns.take(id);
    if (waitMs > 0) await pause(waitMs);
    if (!this.#halfOpen.isAuthenticating(transport)) return undefined;
    const reserved = !registry.isFull(id) && (await slots.reserve(transport, id));
    if (!this.#halfOpen.isAuthenticating(transport)) {
      slots.cancel(transport);
      return undefined;
    }
    // Other clients are connected, notified and closed below, because they would not come back by
    // themselves.
    if (reserved || auth.retries !== true) return identity;
    this.#countRefusal(id);
    this.#halfOpen.refused(transport);
    const { code: reason, message } = ENDS.too_many_connections.notice;
    throw new MaruError('rate_limited', message, { retryAfterMs: CONNECTIONS_RETRY_MS, reason });
  }

  #takeUserEvent = (userId: string): number => this.#userEvents.take(userId);
  #mayBeRefused = (userId: string): boolean => this.#refusedEvents.take(userId) === 0;

  #countRefusal(userId: string): void {
    const { registry, metrics } = this.#options;
    metrics.refused(registry.isFull(userId) ? 'connections' : 'cluster_connections');
  }

  connected(transport: Transport, connection: Connection, identity: Identity, auth: Auth): Session | undefined {
    const { registry, slots, metrics, logger, connectionLimits, gate, onRemoved, now, storeNow } = this.#options;
    this.#halfOpen.forget(transport);
    const session = new Session({
      user: identity.user,
      roles: identity.roles,
      expiry: expiryOf(identity.expiresAtS, storeNow()),
      issuedAtS: identity.issuedAtS,
      beganAtMs: storeNow(),
      program: programOf(auth.program),
      gate,
      connection,
      limits: connectionLimits,
      nowMs: now(),
      takeUserEvent: this.#takeUserEvent,
      mayBeRefused: this.#mayBeRefused,
      onEnd: this.#onEnd,
      onRemoved,
    });
    // The order may have arrived between the check of the token and now.
    if (this.#options.isRevoked(identity)) {
      metrics.refused('unauthenticated');
      session.greet();
      session.end('revoked');
      return undefined;
    }
    const reserved = slots.use(transport);
    if (!reserved || !registry.add(session)) {
      this.#countRefusal(session.user.id);
      if (reserved) slots.released(session.user.id);
      session.greet();
      session.end('too_many_connections');
      return undefined;
    }
    metrics.connected();
    logger.debug({ connection: session.id, user: session.user.id }, 'connected');
    try {
      this.#greet(session, auth);
    } catch (error) {
      // The edge does not know the session yet, so nothing else would remove it.
      this.disconnected(session, 'server namespace disconnect');
      throw error;
    }
    return session;
  }

  #greet(session: Session, auth: Auth): void {
    if (auth.resume !== undefined) {
      this.#beginResume(session, auth.resume);
    } else {
      if (this.#options.isDegraded()) session.notify({ code: 'degraded' });
      this.#sendSession(session, {});
    }
  }

  disconnected(session: Session, reason: string): void {
    const { registry, slots, metrics, logger, onGone } = this.#options;
    session.disconnected();
    registry.remove(session);
    slots.released(session.user.id);
    onGone(session);
    metrics.disconnected(reason);
    logger.debug({ connection: session.id, reason }, 'disconnected');
  }

  #onEnd = (reason: EndReason, { id }: Session): void => {
    const { metrics, logger } = this.#options;
    const { logLevel } = ENDS[reason];
    if (ENDS[reason].comesBack) metrics.ended(reason);
    logger[logLevel]({ connection: id, reason }, 'connection ended by this node');
  };

  #beginResume(session: Session, wanted: unknown): void {
    const answered = this.#resume(session, wanted);
    session.beginResume(answered);
    answered.catch((error: unknown) => {
      this.#options.logger.error({ err: error, connection: session.id }, 'a resume was not answered');
      session.end('store');
    });
    // A resume may take long, so confirm the connection now.
    session.greet();
  }

  /**
   * `session` is the first event. The missed entries follow it. Earlier requests are held until
   * then.
   */
  async #resume(session: Session, wanted: unknown): Promise<void> {
    const { resumeRooms, isDegraded, gate, logger } = this.#options;
    let notified = false;
    const notifyDegraded = () => {
      if (!notified) session.notify({ code: 'degraded' });
      notified = true;
    };
    if (isDegraded()) notifyDegraded();
    const resumption = await resumeRooms(session, wanted, notifyDegraded);
    if (!gate.isOpen()) await gate.whenOpen();
    if (session.closed) return;
    this.#sendSession(session, resumption.rooms);
    if (notified && !isDegraded()) session.notify({ code: 'recovered' });
    resumption.deliver().catch((error: unknown) => {
      logger.error({ err: error, connection: session.id }, 'missed entries were not delivered');
      session.end('store');
    });
  }

  #sendSession(session: Session, rooms: SessionData['rooms']): void {
    const { user, roles, id } = session;
    const data: Omit<SessionData, 'limits' | 'features'> = { user: { ...user, roles }, sessionId: id, rooms };
    // Most of it is constant, so that part is encoded once.
    const json = `${JSON.stringify(data).slice(0, -1)},${this.#commonJson}`;
    if (!session.closed) session.send(eventPacket('session', json));
    session.opened();
  }
}
