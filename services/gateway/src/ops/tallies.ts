/**
 * Metrics that are touched for every message. prom-client takes an object of labels each time, checks it and makes a key of it, which a
 * profile of a busy gateway shows; here each touch is a look-up and an addition, and what prom-client would tell is made when it is asked,
 * at a scrape. The text of a scrape is the same to the byte.
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

/** The values of `from` are there from the start, at 0. */
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
    inc(value: V): void {
      const tally = tallies.get(value);
      if (tally === undefined) tallies.set(value, { count: 1 });
      else tally.count++;
    },
  };
}

/** A histogram without labels. */
export function tallyHistogram(options: Description & { buckets: readonly number[] }) {
  const distribution = new Distribution({}, options.buckets);
  exposeHistogram(options, () => [distribution]);
  return distribution;
}

/** A histogram by two labels. What was never observed is not told. */
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

/** What was observed under one set of labels. */
class Distribution {
  readonly #labels: Record<string, string>;
  /** The last is infinite, so that a search for a bucket always ends. */
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Record<string, string>, buckets: readonly number[]) {
    this.#labels = labels;
    this.#bounds = Float64Array.of(...buckets, Number.POSITIVE_INFINITY);
    this.#counts = new Float64Array(this.#bounds.length);
  }

  observe(value: number): void {
    // One of these would spoil the sum for as long as the process lives.
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be observed`);
    // From below, since what is measured mostly falls into the first few.
    let bucket = 0;
    while (value > (this.#bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

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

/** prom-client's histogram can only be told single values; but its registry asks any metric for no more than these. */
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
