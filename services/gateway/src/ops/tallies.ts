/**
 * Metrics that change with every message. For each change, prom-client takes an object of labels,
 * validates it and computes a key from it, which is visible in the profile of a busy gateway. Here
 * a change is one look-up and one addition. prom-client's values are computed at a scrape. The text
 * of a scrape is the same, byte for byte.
 */
import { Counter, type Metric, type Registry } from 'prom-client';

interface Description {
  registry: Registry;
  name: string;
  help: string;
}

export function tallyCounter(options: Description) {
  const { registry, ...description } = options;
  let count = 0;
  new Counter({
    ...description,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(count);
    },
  });
  return {
    inc(by = 1): void {
      count += by;
    },
  };
}

/** The values of `from` exist from the start, as 0. */
export function tallyCounterBy<V extends string>(options: Description & { label: string; from: readonly V[] }) {
  const { registry, label, from, ...description } = options;
  const tallies = new Map<V, { count: number }>(from.map((value) => [value, { count: 0 }]));
  new Counter({
    ...description,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, { count }] of tallies) this.inc({ [label]: value }, count);
    },
  });
  return {
    inc(value: V, by = 1): void {
      const tally = tallies.get(value);
      if (tally === undefined) tallies.set(value, { count: by });
      else tally.count += by;
    },
  };
}

/** A histogram without labels. */
export function tallyHistogram(options: Description & { buckets: readonly number[] }) {
  const distribution = new Distribution({}, options.buckets);
  exposeHistogram(options, () => [distribution]);
  return distribution;
}

/** A histogram by two labels. Combinations without an observation are not exposed. */
export function tallyHistogramBy(
  options: Description & { buckets: readonly number[]; labels: readonly [string, string] },
) {
  const { buckets, labels } = options;
  const byFirst = new Map<string, Map<string, Distribution>>();
  const inOrder: Distribution[] = [];
  exposeHistogram(options, () => inOrder);

  function open(first: string, second: string): Distribution {
    const distribution = new Distribution({ [labels[0]]: first, [labels[1]]: second }, buckets);
    const bySecond = byFirst.get(first) ?? new Map<string, Distribution>();
    byFirst.set(first, bySecond.set(second, distribution));
    inOrder.push(distribution);
    return distribution;
  }

  return {
    observe(first: string, second: string, value: number): void {
      (byFirst.get(first)?.get(second) ?? open(first, second)).observe(value);
    },
  };
}

interface Sample {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/** The observations of one set of labels. */
class Distribution {
  readonly #labels: Record<string, string>;
  /** The last bound is infinite, so that a search for a bucket always ends. */
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Record<string, string>, buckets: readonly number[]) {
    this.#labels = labels;
    this.#bounds = Float64Array.of(...buckets, Number.POSITIVE_INFINITY);
    this.#counts = new Float64Array(this.#bounds.length);
  }

  /** Bound, so that it can be passed on as a function. */
  readonly observe = (value: number): void => {
    // One such value would make the sum useless for the lifetime of the process.
    if (!Number.isFinite(value)) throw new TypeError(`${value} is not a finite number`);
    // Search from the lowest bucket, because most values fall into the first few.
    let bucket = 0;
    while (value > (this.#bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  };

  samples(name: string): Sample[] {
    const labels = this.#labels;
    let count = 0;
    const buckets = Array.from(this.#counts, (here, bucket): Sample => {
      count += here;
      const bound = this.#bounds[bucket] as number;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : bound;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

/**
 * prom-client's histogram accepts only single values. Its registry needs only these properties of a
 * metric.
 */
function exposeHistogram({ registry, name, help }: Description, distributions: () => readonly Distribution[]): void {
  const description = { name, help, type: 'histogram', aggregator: 'sum' };
  const metric = {
    ...description,
    get: async () => ({
      ...description,
      values: distributions().flatMap((distribution) => distribution.samples(name)),
    }),
  };
  registry.registerMetric(metric as unknown as Metric);
}
