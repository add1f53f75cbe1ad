/**
 * Token buckets by key (an address or a user) on this node. A full bucket equals no bucket and is
 * dropped.
 */
import { type Bucket, type BucketSpec, fullBucket, takeToken } from './token-bucket.ts';

export interface KeyedLimit {
  /** 0, or milliseconds to wait. */
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
    // If there are still too many, the oldest go. Their keys then get a full bucket.
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
