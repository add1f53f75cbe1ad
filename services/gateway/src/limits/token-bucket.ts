/** A token bucket as a pure value: `perSecond` tokens come back a second, up to `burst`. Times are of a clock that never steps back. */
export interface Bucket {
  tokens: number;
  atMs: number;
}

export interface BucketSpec {
  perSecond: number;
  burst: number;
}

export const fullBucket = (spec: BucketSpec, nowMs: number): Bucket => ({ tokens: spec.burst, atMs: nowMs });

/** Takes one token in place. Returns 0, or how many milliseconds to wait until one will be there. */
export function takeToken(bucket: Bucket, spec: BucketSpec, nowMs: number): number {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(spec.burst, bucket.tokens + (elapsedMs * spec.perSecond) / 1_000);
  bucket.atMs = nowMs;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return Math.ceil(((1 - bucket.tokens) * 1_000) / spec.perSecond);
}
