/**
 * A token bucket as a pure value: refills by `perSecond` tokens a second, up to `burst`. Times come
 * from a monotonic clock.
 */
export interface Bucket {
  tokens: number;
  atMs: number;
  /** The time at which the last refused request may be retried. The next one gets a later time. */
  promisedMs: number;
}

export interface BucketSpec {
  perSecond: number;
  burst: number;
}

export const fullBucket = (spec: BucketSpec, nowMs: number): Bucket => ({
  tokens: spec.burst,
  atMs: nowMs,
  promisedMs: 0,
});

/** Maximum wait of a refused request. */
const PROMISE_MAX_MS = 60_000;

/**
 * Takes tokens in place if at least one is left. The bucket may become negative. Returns 0, or the
 * milliseconds to wait. Each refused request gets a different time. Otherwise all would retry
 * together, and all but one would be refused again.
 */
export function takeToken(bucket: Bucket, spec: BucketSpec, nowMs: number, tokens = 1): number {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(spec.burst, bucket.tokens + (elapsedMs * spec.perSecond) / 1_000);
  bucket.atMs = nowMs;
  if (bucket.tokens >= 1) {
    bucket.tokens -= tokens;
    return 0;
  }
  return promiseWait(bucket, ((1 - bucket.tokens) * 1_000) / spec.perSecond, spec, nowMs, tokens);
}

/**
 * The wait for one more refused request if the next token comes in `nextMs`. Updates `promisedMs`
 * in place.
 */
export function promiseWait(
  bucket: { promisedMs: number },
  nextMs: number,
  spec: BucketSpec,
  nowMs: number,
  tokens = 1,
): number {
  const after = Math.max(nowMs + nextMs, bucket.promisedMs + (tokens * 1_000) / spec.perSecond);
  bucket.promisedMs = Math.min(after, nowMs + PROMISE_MAX_MS);
  // The sum of two times is not exact, so the difference may be a little above the maximum.
  return Math.max(1, Math.min(PROMISE_MAX_MS, Math.ceil(bucket.promisedMs - nowMs)));
}
