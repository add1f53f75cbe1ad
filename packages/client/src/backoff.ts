/**
 * Whether to retry, and the delays before retries. Pure: the caller provides the random number and
 * the timer.
 */
import { ERROR_CATALOGUE, type ErrorBody, type MaruError } from '@maru/protocol/errors';

/**
 * Maximum wait for which this library retries by itself. With a longer one it would hold a message
 * for minutes, and would seem to hang.
 */
const RETRY_WAIT_MAX_MS = 60_000;

/** True if this library retries by itself. After a longer wait, the user may try again. */
export const mayRetry = ({ code, retryAfterMs = 0 }: ErrorBody | MaruError): boolean =>
  ERROR_CATALOGUE[code].retryable && retryAfterMs <= RETRY_WAIT_MAX_MS;

export interface BackoffBounds {
  /** Maximum of the first delay. It doubles with each failed attempt. */
  baseMs: number;
  /** Maximum of every delay. */
  capMs: number;
}

/** Together with the time to connect, a client is back within 10 s after the network. */
export const RECONNECT_BACKOFF: BackoffBounds = { baseMs: 500, capMs: 8_000 };
/**
 * Used while the user has too many connections. Retrying does not help until one closes, so the
 * delays grow to minutes.
 */
export const CROWDED_BACKOFF: BackoffBounds = { baseMs: 5_000, capMs: 5 * 60_000 };
export const REQUEST_BACKOFF: BackoffBounds = { baseMs: 300, capMs: 5_000 };

/** Without a minimum, a client that is refused immediately would loop. */
const DELAY_MIN_MS = 50;

export interface BackoffInput {
  /** Number of failed tries, from 0. */
  attempt: number;
  /** From 0 to below 1. */
  random: number;
  bounds: BackoffBounds;
  /**
   * The server's `retryAfterMs` or `reconnectInMs`. The delay is at least this plus a small jitter.
   */
  atLeastMs?: number | undefined;
}

/**
 * Full jitter, from 0 to the maximum. So thousands of clients that lost the same node reconnect at
 * different times.
 */
export function backoffMs({ attempt, random, bounds, atLeastMs }: BackoffInput): number {
  const boundMs = boundOf(bounds, attempt);
  const jitterMs = Math.floor(random * boundMs);
  if (atLeastMs === undefined) return Math.max(DELAY_MIN_MS, jitterMs);
  // After a delay requested by the server, a tenth of the jitter is enough to spread the clients.
  return Math.max(DELAY_MIN_MS, Math.ceil(atLeastMs) + Math.floor(jitterMs / 10));
}

/**
 * Never shorter than the maximum of `backoffMs`, so the delays really grow. A tenth of jitter
 * spreads the user's connections.
 */
export function growingBackoffMs({ atLeastMs = 0, ...input }: BackoffInput): number {
  return backoffMs({ ...input, atLeastMs: Math.max(atLeastMs, boundOf(input.bounds, input.attempt)) });
}

/** A larger exponent would give the same result but exceed the range of exact integers. */
const boundOf = ({ baseMs, capMs }: BackoffBounds, attempt: number): number =>
  Math.min(capMs, baseMs * 2 ** Math.min(Math.max(attempt, 0), 30));
