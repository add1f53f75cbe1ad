/** Token buckets by key (an address, a user) on this node. A bucket that is full again is the same as none, and is dropped. */
import { type Bucket, type BucketSpec, fullBucket, takeToken } from './token-bucket.ts';

export interface KeyedLimit {
  /** 0, or milliseconds to wait. */
  take(key: string): number;
  /** Takes more of what the key has just been given, even below nothing. */
  charge(key: string, tokens: number): void;
}

export function createKeyedLimit(options: { spec: BucketSpec; keysMax: number; now: () => number }): KeyedLimit {
  const { spec, now } = options;
  const buckets = new Map<string, Bucket>();
  const refillMs = (spec.burst * 1_000) / spec.perSecond;

  const sweep = () => {
    for (const [key, bucket] of buckets) if (now() - bucket.atMs >= refillMs) buckets.delete(key);
    // Still too many at once: the oldest go, at the price of a fuller bucket for them.
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
