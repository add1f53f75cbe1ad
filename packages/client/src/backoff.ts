/** Delays before retries. Pure: the caller provides the random number and the timer. */

export interface BackoffBounds {
  /** Maximum of the first delay. It doubles with each failed try. */
  baseMs: number;
  /** Maximum of every delay. */
  capMs: number;
}

/** With the time to connect, a client is back within 10 s of the network. */
export const RECONNECT_BACKOFF: BackoffBounds = { baseMs: 500, capMs: 8_000 };
/**
 * While the user has too many connections. Only closing one of them helps, so the delays grow to
 * minutes.
 */
export const CROWDED_BACKOFF: BackoffBounds = { baseMs: 5_000, capMs: 5 * 60_000 };
export const REQUEST_BACKOFF: BackoffBounds = { baseMs: 300, capMs: 5_000 };

/** Without a minimum, a client that is refused at once would loop. */
const DELAY_MIN_MS = 50;

export interface BackoffInput {
  /** Number of failed tries, from 0. */
  attempt: number;
  /** From 0 to below 1. */
  random: number;
  bounds: BackoffBounds;
  /**
   * The server's `retryAfterMs` or `reconnectInMs`. The delay is at least this, plus a small
   * jitter.
   */
  atLeastMs?: number | undefined;
}

/**
 * Full jitter, from 0 to the maximum, so that thousands of clients that lost the same node
 * reconnect spread out.
 */
export function backoffMs({ attempt, random, bounds, atLeastMs }: BackoffInput): number {
  const boundMs = boundOf(bounds, attempt);
  const jitterMs = Math.floor(random * boundMs);
  if (atLeastMs === undefined) return Math.max(DELAY_MIN_MS, jitterMs);
  // After a delay that the server chose, a tenth of the jitter is enough to spread the clients.
  return Math.max(DELAY_MIN_MS, Math.ceil(atLeastMs) + Math.floor(jitterMs / 10));
}

/**
 * Never shorter than the maximum of `backoffMs`, so that the delays really grow. A tenth of jitter
 * separates the connections of the user.
 */
export function growingBackoffMs({ atLeastMs = 0, ...input }: BackoffInput): number {
  return backoffMs({ ...input, atLeastMs: Math.max(atLeastMs, boundOf(input.bounds, input.attempt)) });
}

/** A larger exponent would not change the result and would exceed the range of exact integers. */
const boundOf = ({ baseMs, capMs }: BackoffBounds, attempt: number): number =>
  Math.min(capMs, baseMs * 2 ** Math.min(Math.max(attempt, 0), 30));
