/** When a session's token expires, and when its client is notified. */

/** A client is notified at most this long before its token expires. */
const EXPIRY_NOTICE_MS = 60_000;

/** Times of the store's clock, in milliseconds. */
export interface Expiry {
  atMs: number;
  /** When the client is notified. */
  noticeAtMs: number;
}

/**
 * The notice comes 60 s before the end, or at two thirds of the time that the token has left,
 * whichever is later. So even tokens that live for seconds cause few renewals.
 */
export function expiryOf(expiresAtS: number, nowMs: number): Expiry {
  const atMs = expiresAtS * 1_000;
  return { atMs, noticeAtMs: atMs - Math.min(EXPIRY_NOTICE_MS, Math.max(0, atMs - nowMs) / 3) };
}
