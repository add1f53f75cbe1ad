/**
 * Counts durations in buckets at most 1.6 % wide, so millions of values need constant memory. Pure.
 */

const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;
/** Up to 2^30 µs, about 18 minutes. */
const BUCKETS = SUB * (30 - SUB_BITS + 2);

export interface Percentiles {
  count: number;
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #max = 0;

  /** @param value in any unit; a negative value counts as 0 */
  record(value: number): void {
    const whole = value < 0 ? 0 : value | 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    if (value > this.#max) this.#max = value;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * At least this share of the values is at most the result, the middle of a bucket. 0 if empty.
   */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(this.#count * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank && this.#count > 0) return Math.min(middleOf(bucket), this.#max);
    }
    return 0;
  }

  percentiles(): Percentiles {
    return {
      count: this.#count,
      p50: this.percentile(0.5),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      max: this.#max,
    };
  }
}

function bucketOf(whole: number): number {
  if (whole < SUB) return whole;
  const shift = 31 - Math.clz32(whole) - SUB_BITS;
  return Math.min(BUCKETS - 1, SUB * (shift + 1) + ((whole >>> shift) - SUB));
}

function middleOf(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  const low = (SUB + (bucket % SUB)) * 2 ** shift;
  return low + 2 ** shift / 2;
}
