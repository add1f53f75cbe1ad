/**
 * Keeps the client connected: opens socket connections, waits between them according to the
 * back-off and the server, and requests tokens. It does not know rooms or messages.
 */
import type { MaruError } from '@maru/protocol/errors';
import type { ClientRequests, Notice, SessionData } from '@maru/protocol/events';
import { type Request, unavailable } from './ack.ts';
import { type Attempt, IDLE } from './attempt.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { type ConnectionState, type EndReason, sameState } from './connection-state.ts';
import { describeError } from './logger.ts';
import { checkPath, reachOver } from './path-check.ts';
import { Patience } from './patience.ts';
import { openSocketConnection, type SocketConnection, type SocketEnd } from './socket-connection.ts';
import { TokenSource } from './token-source.ts';
import { TransportChoice } from './transport-choice.ts';
import { Tries } from './tries.ts';

/** Longer waits in a notice are treated as a mistake and shortened to this. */
const RECONNECT_IN_MS_MAX = 5 * 60_000;
/** If tokens expire in shorter sessions, the delays between sessions grow. */
const SHORT_SESSION_MS = 30_000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #transports: TransportChoice;
  readonly #tokens: TokenSource;
  readonly #patience = new Patience();
  readonly #tries = new Tries();
  #state: ConnectionState = { state: 'connecting' };
  #attempt: Attempt = IDLE;
  #started = false;
  #isDegraded = false;
  #sessionAtMs = 0;
  /** Short sessions in a row that ended because the token expired. */
  #expiries = 0;
  /** The reason to report if the server sends DISCONNECT. A notice can change it. */
  #dismissal: EndReason = 'disconnected';
  /** The time at which the server asked the client to reconnect. */
  #moveAtMs: number | null = null;
  #cancelRetry = () => {};
  #cancelMove = () => {};
  #stopChecking = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { getToken, limits, scheduler, logger } = options;
    this.#tokens = new TokenSource({ getToken, timeoutMs: limits.tokenTimeoutMs, scheduler, logger });
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

  /** The network has changed. Retries now, and replaces a connection that does not answer soon. */
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

  /** The device slept, or the page was hidden. Checks an open connection, and ends a wait. */
  check(): void {
    if (this.#attempt.phase === 'session') this.#attempt.socket.probe(this.#options.limits.probeTimeoutMs);
    else if (this.#state.state === 'offline') this.retryNow();
  }

  /** The system reports that the network is gone. Checks an open connection immediately. */
  suspect(): void {
    const attempt = this.#attempt;
    if (attempt.phase === 'session') attempt.socket.probe(this.#options.limits.onlineProbeTimeoutMs);
  }

  close(): void {
    this.#finish('closed');
  }

  /** Answers `unavailable` if there is no session. */
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
    this.#stopChecking();
    const attempt = this.#attempt;
    this.#attempt = IDLE;
    // First, so that the failed requests cause no retries on this connection.
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
      token = this.#tokens.kept ?? (await this.#tokens.ask());
    } catch (error) {
      if (!isStale()) this.#retryLater(`no token: ${describeError(error)}`);
      return;
    }
    if (isStale()) return;
    this.#tokens.kept = null;
    if (token === null) return this.#finish('unauthenticated');
    const sinceMs = this.#options.scheduler.now();
    const socket = this.#openSocket(token);
    this.#attempt = { phase: 'handshake', token, sinceMs, socket };
    if (this.#tries.failed > 0) this.#checkPath(socket);
  }

  /** Replaces an attempt that hangs because it started before the network came back. */
  #checkPath(socket: SocketConnection): void {
    const { url, scheduler, limits } = this.#options;
    const everyMs = limits.reachEveryMs;
    const onBack = () => {
      if (!socket.hasHeard()) void this.#open();
    };
    const wasDead = this.#tries.wasSilent;
    this.#tries.wasSilent = false;
    this.#stopChecking = checkPath({ scheduler, everyMs, wasDead, onBack, reach: reachOver(url, (everyMs * 3) / 4) });
  }

  #openSocket(token: string): SocketConnection {
    const { url, path, scheduler, resume, program, on } = this.#options;
    const named = program === undefined ? {} : { program };
    const limits = this.#patience.extend(this.#options.limits);
    // On a slow network path, the second attempt gets more time.
    const connectTimeoutMs = limits.connectTimeoutMs * (this.#tries.failed === 0 ? 1 : 2);
    const transports = this.#transports.next(scheduler.now());
    return openSocketConnection({
      ...{ url, path, limits, scheduler, transports, connectTimeoutMs },
      auth: () => ({ token, resume: resume(), retries: true, ...named }),
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
    // The first retry after a loss usually succeeds. It is reported as connecting, so that a
    // restart of a node does not alarm users.
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
        this.#tries.wasSilent = true;
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

  /** Requests a new token once. If it is also refused, the client ends. */
  #openWithNewToken(reason: EndReason): void {
    if (this.#tries.refusedTokens++ > 0) {
      this.#finish(reason);
      return;
    }
    this.#tokens.refreshNext = true;
    void this.#open();
  }

  /** Waits before the next handshake, so that tokens that expire immediately cause no loop. */
  #onExpired(): void {
    const isShort = this.#options.scheduler.now() - this.#sessionAtMs < SHORT_SESSION_MS;
    this.#expiries = isShort ? this.#expiries + 1 : 0;
    this.#tries.failed = this.#expiries;
    this.#tries.refusedTokens = 1;
    this.#tokens.refreshNext = true;
    this.#retryLater('the token expired');
  }

  #onSession(session: SessionData): void {
    if (this.#attempt.phase !== 'handshake') return;
    this.#stopChecking();
    const sinceMs = this.#options.scheduler.now();
    this.#attempt = { ...this.#attempt, phase: 'session', sinceMs };
    this.#sessionAtMs = sinceMs;
    this.#transports.connected(sinceMs);
    this.#tries.succeeded();
    this.#tokens.refreshNext = false;
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
      this.#renewToken();
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

  #renewToken(): void {
    const attempt = this.#attempt;
    if (attempt.phase !== 'session') return;
    void this.#tokens.renew({
      old: attempt.token,
      request: this.request,
      isCurrent: () => this.#attempt === attempt,
      onTaken: (token) => {
        this.#dismissal = 'disconnected';
        this.#attempt = { ...attempt, token };
      },
      onUnsupported: () => {
        this.#setState({ state: 'connecting' });
        void this.#open();
      },
    });
  }
}
