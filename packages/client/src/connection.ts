/**
 * Keeps the client connected: opens one socket connection after the other, waits between them as
 * the back-off and the server say, and asks for tokens. It does not know rooms or messages.
 */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientRequests, Notice, SessionData } from '@maru/protocol/events';
import { type Request, unavailable } from './ack.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { type ConnectionState, type EndReason, sameState } from './connection-state.ts';
import { describeError } from './logger.ts';
import { Patience } from './patience.ts';
import { openSocketConnection, type SocketConnection, type SocketEnd } from './socket-connection.ts';
import { askForToken } from './token.ts';
import { type OfferOutcome, offerToken } from './token-offer.ts';
import { TransportChoice } from './transport-choice.ts';
import { Tries } from './tries.ts';

/** The current attempt to be connected. The public `ConnectionState` is derived for the host. */
type Attempt =
  /** Before `connect`, while waiting for a retry, and after the end. */
  | { phase: 'idle' }
  | { phase: 'token' }
  /** The socket is opening, or the session has not begun. */
  | { phase: 'handshake'; socket: SocketConnection; token: string; sinceMs: number }
  | { phase: 'session'; socket: SocketConnection; token: string; sinceMs: number };

const IDLE: Attempt = { phase: 'idle' };

/** Longer waits in a notice are treated as a mistake and shortened to this. */
const RECONNECT_IN_MS_MAX = 5 * 60_000;
/** If tokens expire in shorter sessions, the delays between these grow. */
const SHORT_SESSION_MS = 30_000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #transports: TransportChoice;
  readonly #patience = new Patience();
  readonly #tries = new Tries();
  #state: ConnectionState = { state: 'connecting' };
  #attempt: Attempt = IDLE;
  #started = false;
  #isDegraded = false;
  /** The next token request asks for a new token. */
  #refreshNext = false;
  /** A token for the next handshake, which the current connection could not take. */
  #nextToken: string | null = null;
  #sessionAtMs = 0;
  /** Short sessions in a row that ended because the token expired. */
  #expiries = 0;
  /** The reason to report if the server sends DISCONNECT. A notice sets it. */
  #dismissal: EndReason = 'disconnected';
  /** When the server asked the client to reconnect. */
  #moveAtMs: number | null = null;
  #cancelRetry = () => {};
  #cancelMove = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#transports = new TransportChoice(options.transports, options.limits.pollingForMs);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  connect(): void {
    if (this.#started) return;
    this.#started = true;
    this.#options.onState(this.#state);
    void this.#open();
  }

  /**
   * The network has changed. Retries now instead of waiting, also for a token. Replaces an open
   * connection that does not answer soon.
   */
  retryNow(): void {
    const attempt = this.#attempt;
    const { scheduler, limits } = this.#options;
    const patienceMs = limits.onlineProbeTimeoutMs;
    if (attempt.phase === 'session') attempt.socket.probe(patienceMs);
    const isStuck = attempt.phase === 'handshake' && scheduler.now() - attempt.sinceMs >= patienceMs;
    if (isStuck || attempt.phase === 'token' || this.#state.state === 'offline') {
      this.#setState({ state: 'connecting' });
      void this.#open();
    }
  }

  /** The device slept, or the page was away. Checks an open connection, and ends a wait. */
  check(): void {
    if (this.#attempt.phase === 'session') this.#attempt.socket.probe(this.#options.limits.probeTimeoutMs);
    else if (this.#state.state === 'offline') this.retryNow();
  }

  close(): void {
    this.#finish('closed');
  }

  /** `unavailable` without a session. */
  readonly request: Request = (name, payload, done) => {
    if (this.#attempt.phase !== 'session') return done(unavailable('not connected'));
    this.#attempt.socket.request(name, payload, done);
  };

  sendEphemeral(name: 'typing', payload: ClientRequests['typing'][0]): void {
    if (this.#attempt.phase === 'session') this.#attempt.socket.sendEphemeral(name, payload);
  }

  #setState(next: ConnectionState): void {
    if (sameState(this.#state, next)) return;
    this.#state = next;
    this.#options.onState(next);
  }

  /** Ends the current attempt and its requests. */
  #drop({ silent } = { silent: false }): void {
    this.#cancelMove();
    const attempt = this.#attempt;
    this.#attempt = IDLE;
    // First, so that the ends of its requests cause no retries on it.
    if (attempt.phase === 'session') this.#options.onLost({ silent });
    if (attempt.phase === 'handshake' || attempt.phase === 'session') attempt.socket.close();
  }

  #finish(reason: EndReason): void {
    this.#cancelRetry();
    this.#drop();
    this.#setState({ state: 'ended', reason });
  }

  async #open(): Promise<void> {
    this.#cancelRetry();
    this.#drop();
    const attempt: Attempt = { phase: 'token' };
    this.#attempt = attempt;
    const isStale = () => this.#attempt !== attempt;
    this.#isDegraded = false;
    this.#moveAtMs = null;
    this.#tries.begin();
    this.#dismissal = 'disconnected';
    let token: string | null;
    try {
      token = this.#nextToken ?? (await this.#getToken(this.#refreshNext));
    } catch (error) {
      if (!isStale()) this.#retryLater(`no token: ${describeError(error)}`);
      return;
    }
    if (isStale()) return;
    this.#nextToken = null;
    if (token === null) return this.#finish('unauthenticated');
    const sinceMs = this.#options.scheduler.now();
    this.#attempt = { phase: 'handshake', token, sinceMs, socket: this.#openSocket(token) };
  }

  #getToken(refresh: boolean): Promise<string | null> {
    const { getToken, limits, scheduler } = this.#options;
    return askForToken({ getToken, refresh, timeoutMs: limits.tokenTimeoutMs, scheduler });
  }

  #openSocket(token: string): SocketConnection {
    const { url, path, scheduler, resume, on } = this.#options;
    const limits = this.#patience.extend(this.#options.limits);
    // A path that is only slow gets more time with the second try.
    const connectTimeoutMs = limits.connectTimeoutMs * (this.#tries.failed === 0 ? 1 : 2);
    const transports = this.#transports.next(scheduler.now());
    return openSocketConnection({
      ...{ url, path, limits, scheduler, transports, connectTimeoutMs },
      auth: () => ({ token, resume: resume(), retries: true }),
      on: { ...on, session: (session) => this.#onSession(session), notice: (notice) => this.#onNotice(notice) },
      onEnd: (end) => this.#onEnd(end),
    });
  }

  #retryLater(
    detail: string,
    { error = this.#tries.closing, silent = false }: { error?: MaruError | undefined; silent?: boolean } = {},
  ): void {
    const { scheduler, logger } = this.#options;
    const now = scheduler.now();
    const atLeastMs = this.#moveAtMs === null ? error?.retryAfterMs : Math.max(0, this.#moveAtMs - now);
    const { attempt, delayMs } = this.#tries.next({ error, random: scheduler.random(), atLeastMs });
    logger.debug('connection lost', { detail, delayMs, attempt });
    this.#drop({ silent });
    // The first retry after a loss usually succeeds. It counts as connecting, so that the restart
    // of a node alarms no one.
    const offline = { state: 'offline', retryAtMs: now + delayMs } as const;
    if (error !== undefined) this.#setState({ ...offline, error: error.toBody() });
    else this.#setState(attempt === 0 ? { state: 'connecting' } : offline);
    this.#cancelRetry();
    this.#cancelRetry = scheduler.after(delayMs, () => void this.#open());
  }

  #onEnd(end: SocketEnd): void {
    switch (end.kind) {
      case 'lost':
        this.#transports.failed();
        this.#retryLater(end.detail, { error: end.error });
        break;
      case 'silent':
        if (this.#attempt.phase === 'session')
          this.#patience.lost(this.#options.scheduler.now() - this.#attempt.sinceMs);
        if (end.hung) this.#transports.hung(end.transport, { hadSession: this.#attempt.phase === 'session' });
        else this.#transports.worked();
        this.#retryLater(`no answer by ${end.transport}`, { silent: true });
        break;
      case 'unauthenticated':
        this.#options.logger.warn('a token was refused', { reason: end.detail });
        this.#openWithNewToken('unauthenticated');
        break;
      case 'dismissed':
        if (this.#dismissal === 'expired') this.#onExpired();
        else this.#finish(this.#dismissal);
        break;
    }
  }

  /** Asks for a new token once. If it is refused, too, the client ends. */
  #openWithNewToken(reason: EndReason): void {
    if (this.#tries.refusedTokens++ > 0) {
      this.#finish(reason);
      return;
    }
    this.#refreshNext = true;
    void this.#open();
  }

  /** Waits before the next handshake, so that tokens that expire at once cause no loop. */
  #onExpired(): void {
    const isShort = this.#options.scheduler.now() - this.#sessionAtMs < SHORT_SESSION_MS;
    this.#expiries = isShort ? this.#expiries + 1 : 0;
    this.#tries.failed = this.#expiries;
    this.#tries.refusedTokens = 1;
    this.#refreshNext = true;
    this.#retryLater('the token expired');
  }

  #onSession(session: SessionData): void {
    if (this.#attempt.phase !== 'handshake') return;
    const sinceMs = this.#options.scheduler.now();
    this.#attempt = { ...this.#attempt, phase: 'session', sinceMs };
    this.#sessionAtMs = sinceMs;
    this.#transports.connected(sinceMs);
    this.#tries.succeeded();
    this.#refreshNext = false;
    this.#setState({ state: this.#isDegraded ? 'degraded' : 'connected' });
    this.#options.onSession(session);
  }

  #onNotice(notice: Notice): void {
    const { code, reconnectInMs } = notice;
    this.#tries.noticed(notice);
    if (code === 'degraded' || code === 'recovered') {
      this.#isDegraded = code === 'degraded';
      const healthy = this.#attempt.phase === 'session' ? 'connected' : 'connecting';
      this.#setState({ state: this.#isDegraded ? 'degraded' : healthy });
    }
    if (code === 'revoked') this.#dismissal = 'revoked';
    if (code === 'expiring') {
      // If the server sends DISCONNECT now or later, this is the reason.
      this.#dismissal = 'expired';
      if (this.#nextToken === null) void this.#renewToken();
    }
    if (reconnectInMs !== undefined) this.#moveIn(Math.min(Math.max(reconnectInMs, 0), RECONNECT_IN_MS_MAX));
    this.#options.onNotice(notice);
  }

  #moveIn(delayMs: number): void {
    const { scheduler } = this.#options;
    this.#cancelMove();
    this.#moveAtMs = scheduler.now() + delayMs;
    this.#cancelMove = scheduler.after(delayMs, () => {
      this.#setState({ state: 'connecting' });
      void this.#open();
    });
  }

  /** Asks for one token. The connection takes it, or the next one does. */
  async #renewToken(): Promise<void> {
    const attempt = this.#attempt;
    const { scheduler, logger } = this.#options;
    if (attempt.phase !== 'session') return;
    try {
      const token = await this.#getToken(true);
      if (this.#attempt !== attempt || token === null || token === attempt.token) return;
      this.#nextToken = token;
      const isCurrent = () => this.#attempt === attempt;
      offerToken({ token, request: this.request, scheduler, isCurrent, done: (outcome) => this.#onOffered(outcome) });
    } catch (error) {
      logger.warn('no new token before the old one expires', { error: describeError(error) });
    }
  }

  #onOffered(outcome: OfferOutcome): void {
    const token = this.#nextToken;
    if (outcome === 'unsupported') {
      this.#setState({ state: 'connecting' });
      void this.#open();
      return;
    }
    this.#nextToken = null;
    if (outcome === 'refused' || token === null || this.#attempt.phase !== 'session') return;
    this.#dismissal = 'disconnected';
    this.#attempt = { ...this.#attempt, token };
  }
}
