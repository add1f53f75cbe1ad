/** How long to wait before the next try. Pure: the caller brings the randomness and owns the timer. */

export interface BackoffBounds {
  /** The bound of the first delay; it doubles with each failed try. */
  baseMs: number;
  /** No delay grows beyond this one, whatever the number of tries. */
  capMs: number;
}

export const RECONNECT_BACKOFF: BackoffBounds = { baseMs: 500, capMs: 10_000 };
export const REQUEST_BACKOFF: BackoffBounds = { baseMs: 300, capMs: 5_000 };

/** A timer of zero would let a client that is refused at once spin. */
const FLOOR_MS = 50;

export interface BackoffInput {
  /** How many tries have failed before, from 0. */
  attempt: number;
  /** From 0 to below 1. */
  random: number;
  bounds: BackoffBounds;
  /** What the server asked for (`retryAfterMs`, `reconnectInMs`): never answered sooner, and still spread a little after it. */
  atLeastMs?: number | undefined;
}

/**
 * Full jitter: anything between nothing and the bound, because thousands of clients that lost the same node must not
 * come back in step.
 */
export function backoffMs({ attempt, random, bounds, atLeastMs }: BackoffInput): number {
  // An exponent above 30 would not change the minimum, and would leave the range of exact integers.
  const boundMs = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(Math.max(attempt, 0), 30));
  const jitterMs = Math.floor(random * boundMs);
  if (atLeastMs === undefined) return Math.max(FLOOR_MS, jitterMs);
  // After a wait that the server chose there is no reason to add a whole backoff: a tenth spreads the herd.
  return Math.max(FLOOR_MS, Math.ceil(atLeastMs) + Math.floor(jitterMs / 10));
}
