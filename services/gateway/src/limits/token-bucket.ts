/** A token bucket as a pure value: `perSecond` tokens come back a second, up to `burst`. Times are of a clock that never steps back. */
export interface Bucket {
  tokens: number;
  atMs: number;
  /** The moment that was told to the one refused last: the next one refused is told a later one. */
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

/** No promise reaches further than this, however many ask. */
const PROMISE_MAX_MS = 60_000;

/**
 * Takes one token in place. Returns 0, or how many milliseconds to wait until one will be there. Each who is refused is told a moment of
 * its own: if all were told the next one, all would come at once, and all but one be refused again.
 */
export function takeToken(bucket: Bucket, spec: BucketSpec, nowMs: number): number {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(spec.burst, bucket.tokens + (elapsedMs * spec.perSecond) / 1_000);
  bucket.atMs = nowMs;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return promise(bucket, ((1 - bucket.tokens) * 1_000) / spec.perSecond, spec, nowMs);
}

/** The wait for one more who is refused, the next token being `nextMs` away. Notes it in place. */
export function promise(bucket: { promisedMs: number }, nextMs: number, spec: BucketSpec, nowMs: number): number {
  const after = Math.max(nowMs + nextMs, bucket.promisedMs + 1_000 / spec.perSecond);
  bucket.promisedMs = Math.min(after, nowMs + PROMISE_MAX_MS);
  return Math.max(1, Math.ceil(bucket.promisedMs - nowMs));
}
