/**
 * Keeps one connection alive: opens links one after the other, waits between them as the back-off and the server say, asks for
 * tokens, and says in one word how things stand. It does not know rooms or messages.
 */
import type { ClientRequests, Notice, Position, ServerEvents, SessionData } from '@maru/protocol/events';
import { type Request, unavailable } from './ack.ts';
import { backoffMs, RECONNECT_BACKOFF } from './backoff.ts';
import { type ConnectionState, type EndReason, sameState } from './connection-state.ts';
import { type Link, type LinkEnd, openLink, type Transport } from './link.ts';
import { type ClientLogger, describeError } from './logger.ts';
import type { Scheduler } from './scheduler.ts';
import type { GetToken } from './token.ts';

export interface ConnectionOptions {
  url: string;
  path: string;
  transports: Transport[];
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  getToken: GetToken;
  /** What was delivered of each room so far. Asked for each handshake. */
  resume: () => Record<string, Position>;
  scheduler: Scheduler;
  logger: ClientLogger;
  onState: (state: ConnectionState) => void;
  /** A link has its session and takes requests, until `onLost`. */
  onSession: (session: SessionData) => void;
  onLost: () => void;
  onNotice: (notice: Notice) => void;
  on: Pick<
    { [K in keyof ServerEvents]: (payload: Parameters<ServerEvents[K]>[0]) => void },
    'message' | 'typing' | 'presence' | 'room:event'
  >;
}

export interface Connection {
  readonly state: ConnectionState;
  connect(): void;
  /** Tries at once where a try is waited for: the host knows that the network is back. */
  retryNow(): void;
  close(): void;
  /** Answered with `unavailable` while there is no session. */
  request: Request;
  signal(name: 'typing', payload: ClientRequests['typing'][0]): void;
}

/** A server's wish to see us later is honoured up to this bound; beyond it the number is taken for a mistake. */
const RECONNECT_IN_MS_MAX = 5 * 60_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { scheduler, logger } = options;
  let state: ConnectionState = { state: 'connecting' };
  let link: Link | null = null;
  let opening = 0;
  let hasSession = false;
  let isDegraded = false;
  let failedTries = 0;
  let refusedTokens = 0;
  let tokenInUse: string | null = null;
  let refreshNext = false;
  let dismissal: EndReason = 'disconnected';
  let moveAtMs: number | null = null;
  let cancelTimer = () => {};
  let cancelMove = () => {};

  const setState = (next: ConnectionState) => {
    if (sameState(state, next)) return;
    state = next;
    options.onState(next);
  };

  /** Lets the link go, and tells those who hold requests on it. */
  const drop = () => {
    cancelMove();
    const old = link;
    const hadSession = hasSession;
    link = null;
    hasSession = false;
    opening++;
    old?.close();
    if (hadSession) options.onLost();
  };

  const finish = (reason: EndReason) => {
    cancelTimer();
    drop();
    setState({ state: 'ended', reason });
  };

  const wait = (delayMs: number) => {
    cancelTimer();
    cancelTimer = scheduler.after(delayMs, () => void open());
  };

  const open = async () => {
    cancelTimer();
    drop();
    const attempt = opening;
    const isStale = () => attempt !== opening || state.state === 'ended';
    isDegraded = false;
    moveAtMs = null;
    dismissal = 'disconnected';
    let token: string | null;
    try {
      token = await options.getToken({ refresh: refreshNext });
    } catch (error) {
      if (!isStale()) retryLater(`no token: ${describeError(error)}`);
      return;
    }
    if (isStale()) return;
    if (token === null) return finish('unauthenticated');
    tokenInUse = token;
    link = openLink({
      url: options.url,
      path: options.path,
      transports: options.transports,
      connectTimeoutMs: options.connectTimeoutMs,
      auth: () => ({ token, resume: options.resume() }),
      on: { ...options.on, session: onSession, notice: onNotice },
      onEnd,
    });
  };

  const retryLater = (detail: string) => {
    const now = scheduler.now();
    const atLeastMs = moveAtMs === null ? undefined : Math.max(0, moveAtMs - now);
    const attempt = failedTries++;
    const delayMs = backoffMs({ attempt, random: scheduler.random(), bounds: RECONNECT_BACKOFF, atLeastMs });
    logger.debug('connection lost', { detail, delayMs, attempt });
    drop();
    // The first try after a loss mostly succeeds: it is told as connecting, so that a restart of one node alarms nobody.
    setState(attempt === 0 ? { state: 'connecting' } : { state: 'offline', retryAtMs: now + delayMs });
    wait(delayMs);
  };

  const onEnd = (end: LinkEnd) => {
    link = null;
    if (end.kind === 'lost') return retryLater(end.detail);
    const mayBeToken = end.kind === 'unauthenticated' || dismissal === 'expired';
    if (!mayBeToken) return finish(dismissal);
    // A new token is asked for once; one that is refused as well, or none, ends it.
    if (refusedTokens++ > 0) return finish(end.kind === 'unauthenticated' ? 'unauthenticated' : dismissal);
    refreshNext = true;
    void open();
  };

  const onSession = (session: SessionData) => {
    hasSession = true;
    failedTries = 0;
    refusedTokens = 0;
    refreshNext = false;
    setState({ state: isDegraded ? 'degraded' : 'connected' });
    options.onSession(session);
  };

  const onNotice = (notice: Notice) => {
    if (notice.code === 'degraded' || notice.code === 'recovered') {
      isDegraded = notice.code === 'degraded';
      // Before the session a server that is well again is still only being connected to.
      setState({ state: isDegraded ? 'degraded' : hasSession ? 'connected' : 'connecting' });
    }
    if (notice.code === 'revoked') dismissal = 'revoked';
    if (notice.code === 'expiring') {
      // Whether the end follows at once or later: should it come, this was the reason.
      dismissal = 'expired';
      void renew();
    }
    if (notice.reconnectInMs !== undefined) moveIn(Math.min(Math.max(notice.reconnectInMs, 0), RECONNECT_IN_MS_MAX));
    options.onNotice(notice);
  };

  const moveIn = (delayMs: number) => {
    cancelMove();
    moveAtMs = scheduler.now() + delayMs;
    cancelMove = scheduler.after(delayMs, () => {
      setState({ state: 'connecting' });
      void open();
    });
  };

  /** A connection cannot change its token, so a new one means a new connection. */
  const renew = async () => {
    const attempt = opening;
    try {
      const token = await options.getToken({ refresh: true });
      if (attempt !== opening || token === null || token === tokenInUse) return;
      setState({ state: 'connecting' });
      await open();
    } catch (error) {
      logger.warn('no new token before the old one expires', { error: describeError(error) });
    }
  };

  let started = false;
  return {
    get state() {
      return state;
    },
    connect() {
      if (started) return;
      started = true;
      options.onState(state);
      void open();
    },
    retryNow() {
      if (state.state !== 'offline') return;
      setState({ state: 'connecting' });
      void open();
    },
    close: () => finish('closed'),
    request(name, payload, done) {
      if (link === null || !hasSession) return done(unavailable('not connected'));
      link.request(name, payload, options.requestTimeoutMs, done);
    },
    signal(name, payload) {
      if (hasSession) link?.signal(name, payload);
    },
  };
}
