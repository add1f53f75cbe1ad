/**
 * Closes connections that have gone silent, so that ioredis opens them again. A firewall or a
 * network may drop a connection without a reset. Then its commands time out forever while its
 * status is `ready`, because ioredis does not check idle connections.
 *
 * On each connection, the watchdog sends a PING every second, and sooner after a command without an
 * answer. Each connection is judged by its own answers only. An answer proves more than received
 * bytes, which may be announcements.
 *
 * The watchdog counts checks, not time. A process that was stopped or busy reads all received data
 * before the next check, so its own pauses close no connection.
 */
import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';

const LOOK_MS = 500;
/**
 * Time from a PING to the next one: two checks. It is slightly shorter, because timers are not
 * exact.
 */
const REST_MS = 900;
/**
 * Checks since the oldest unanswered PING. At 2, after 1 s, the connection counts as silent. At 3,
 * after 1.5 s, it is closed if it has received nothing for a second. A slow transfer may delay an
 * answer, so a connection that still receives data is closed at 6, after 3 s.
 *
 * The PING is sent within half a second of a command, and within a second of the silence. So an
 * idle connection is silent for 2.5 s at most, and one that is cut in one direction for 4 s.
 */
const SILENT_LOOKS = 2;
const CLOSE_LOOKS = 3;
const CLOSE_QUIET_LOOKS = 2;
const CLOSE_RECEIVING_LOOKS = 6;
/** Checks without a byte during the handshake. Then the connection is closed, after 2 s at most. */
const HANDSHAKE_LOOKS = 4;

interface Watched {
  /** When the newest answered PING was sent, by `performance.now()`. */
  answeredAtMs: number;
  /** True from the second check without an answer until an answer, also across a reconnect. */
  isSilent: boolean;
  /** The silence was reported, and the connection has not been ready since. */
  isReported: boolean;
  isAsking: boolean;
  /**
   * Checks since the oldest unanswered PING, including the one that sent it. 0 if all are answered.
   */
  unansweredLooks: number;
  /** Checks since the last byte arrived, and the bytes up to the last check. */
  quietLooks: number;
  bytesRead: number;
  bytesWritten: number;
}

/**
 * The watchdog's state of each connection. Connections without a watchdog never count as silent.
 */
const known = new WeakMap<Redis, Watched>();

/** Whether commands on the connection can be expected to get an answer. */
export function isUsable(redis: Redis): boolean {
  return redis.status === 'ready' && !isSilent(redis);
}

export const isSilent = (redis: Redis): boolean => known.get(redis)?.isSilent ?? false;

/**
 * The age of the newest proof that the server answers on this connection, in milliseconds. Infinite
 * while the connection is not ready. After a pause of the process it is large, whatever the server
 * did.
 */
export function silenceMsOf(redis: Redis): number {
  if (redis.status !== 'ready') return Number.POSITIVE_INFINITY;
  return performance.now() - (known.get(redis)?.answeredAtMs ?? Number.NEGATIVE_INFINITY);
}

export interface WatchdogOptions {
  logger: Logger;
  /** Called when a connection was closed, once until it is ready again. */
  onSilent?: (purpose: string) => void;
}

/** Watches any number of connections with one timer. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #connected = new Map<Redis, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /**
   * Watches the connection whenever it is connected, from its handshake on. The caller MUST NOT
   * send commands that block for longer than a second.
   */
  watch(redis: Redis, purpose: string): void {
    const state = { ...fresh(), isSilent: false, isReported: false };
    known.set(redis, state);
    redis.on('connect', () => {
      Object.assign(state, fresh());
      this.#connected.set(redis, purpose);
      this.#timer ??= setInterval(() => this.#lookAtAll(), LOOK_MS).unref();
    });
    redis.on('ready', () => {
      state.isReported = false;
      if (state.isSilent) void ask(redis, state);
    });
    redis.on('close', () => {
      this.#connected.delete(redis);
      if (this.#connected.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }

  #lookAtAll(): void {
    for (const [redis, purpose] of this.#connected) {
      const state = known.get(redis);
      if (state === undefined || !look(redis, state)) continue;
      if (!state.isReported) {
        const { host, port } = redis.options;
        this.#options.logger.warn({ purpose, server: `${host}:${port}` }, 'redis connection is silent; reconnecting');
        this.#options.onSilent?.(purpose);
      }
      state.isReported = true;
      this.#connected.delete(redis);
      redis.disconnect(true);
    }
  }
}

const fresh = (): Omit<Watched, 'isSilent' | 'isReported'> => ({
  answeredAtMs: performance.now(),
  isAsking: false,
  unansweredLooks: 0,
  quietLooks: 0,
  bytesRead: 0,
  bytesWritten: 0,
});

/** Checks a connection and sends a PING if necessary. Returns true if it must be closed. */
function look(redis: Redis, state: Watched): boolean {
  const { bytesRead, bytesWritten } = redis.stream;
  const hasWritten = bytesWritten !== state.bytesWritten;
  state.quietLooks = bytesRead === state.bytesRead ? state.quietLooks + 1 : 0;
  Object.assign(state, { bytesRead, bytesWritten });
  // Before the connection is ready, the server must answer the handshake.
  if (redis.status !== 'ready') return state.quietLooks >= HANDSHAKE_LOOKS;
  const isDue = silenceMsOf(redis) >= REST_MS || (hasWritten && state.quietLooks > 0);
  if (state.unansweredLooks === 0 && !isDue) return false;
  const looks = state.unansweredLooks++;
  if (looks >= SILENT_LOOKS) state.isSilent = true;
  if (looks >= CLOSE_LOOKS && state.quietLooks >= CLOSE_QUIET_LOOKS) return true;
  if (looks >= CLOSE_RECEIVING_LOOKS) return true;
  if (!state.isAsking) void ask(redis, state);
  return false;
}

async function ask(redis: Redis, state: Watched): Promise<void> {
  const { stream } = redis;
  const askedAtMs = performance.now();
  state.isAsking = true;
  const isAnswered = await redis.ping().then(
    () => true,
    // An error reply of the server is also an answer.
    (error: Error) => error.name === 'ReplyError',
  );
  // The answer of a replaced connection proves nothing about the new one.
  if (redis.stream !== stream) return;
  state.isAsking = false;
  if (!isAnswered) return;
  state.answeredAtMs = askedAtMs;
  state.unansweredLooks = 0;
  state.isSilent = false;
  // After a pause of the process the answer is old, and proves nothing about the present.
  if (silenceMsOf(redis) >= REST_MS) void ask(redis, state);
}
