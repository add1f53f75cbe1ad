/**
 * Token buckets by key (an address or a user) on this node. A full bucket is the same as no bucket,
 * so it is dropped.
 */
import { type Bucket, type BucketSpec, fullBucket, takeToken } from './token-bucket.ts';

export interface KeyedLimit {
  /** Returns 0, or the milliseconds to wait. */
  take(key: string): number;
  /** Takes more tokens after `take`. The bucket may become negative. */
  charge(key: string, tokens: number): void;
}

export function createKeyedLimit(options: { spec: BucketSpec; keysMax: number; now: () => number }): KeyedLimit {
  const { spec, now } = options;
  const buckets = new Map<string, Bucket>();
  const fillMs = (spec.burst * 1_000) / spec.perSecond;

  const sweep = () => {
    for (const [key, bucket] of buckets) if (now() - bucket.atMs >= fillMs) buckets.delete(key);
    // If there are still too many, drop the oldest. Their keys start with full buckets again.
    for (const key of buckets.keys()) {
      if (buckets.size < options.keysMax) break;
      buckets.delete(key);
    }
  };

  return {
    take(key) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        if (buckets.size >= options.keysMax) sweep();
        bucket = fullBucket(spec, now());
        buckets.set(key, bucket);
      }
      return takeToken(bucket, spec, now());
    },
    charge(key, tokens) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.tokens -= tokens;
    },
  };
}
