/** All figures of a run: key, title, unit and precision. */

export interface Figure {
  key: string;
  title: string;
  unit: string;
  digits: number;
  /** Shown on the terminal. The HTML page and the JSON file contain all figures. */
  main?: true;
}

/** In display order. Each load produces some of them. */
export const FIGURES = [
  { key: 'gatewayUsPerDelivery', title: 'gateway CPU per delivery', unit: 'µs', digits: 2, main: true },
  { key: 'gatewayUsPerMessage', title: 'gateway CPU per message', unit: 'µs', digits: 0 },
  { key: 'gatewayUsPerConnection', title: 'gateway CPU per connection', unit: 'µs', digits: 0, main: true },
  { key: 'redisUsPerMessage', title: 'Redis CPU per message', unit: 'µs', digits: 0, main: true },
  { key: 'redisUsPerConnection', title: 'Redis CPU per connection', unit: 'µs', digits: 0 },
  { key: 'presenceUsPerMessage', title: 'presence CPU per message', unit: 'µs', digits: 0 },
  { key: 'presenceUsPerConnection', title: 'presence CPU per connection', unit: 'µs', digits: 0 },
  { key: 'edgeUsPerDelivery', title: 'nginx CPU per delivery', unit: 'µs', digits: 2 },
  { key: 'edgeUsPerConnection', title: 'nginx CPU per connection', unit: 'µs', digits: 0 },
  { key: 'deliveryP50Ms', title: 'delivery p50', unit: 'ms', digits: 2, main: true },
  { key: 'deliveryP99Ms', title: 'delivery p99', unit: 'ms', digits: 2, main: true },
  { key: 'deliveryP999Ms', title: 'delivery p99.9', unit: 'ms', digits: 2, main: true },
  { key: 'ackP50Ms', title: 'acknowledgement p50', unit: 'ms', digits: 2 },
  { key: 'ackP99Ms', title: 'acknowledgement p99', unit: 'ms', digits: 2, main: true },
  { key: 'ackP999Ms', title: 'acknowledgement p99.9', unit: 'ms', digits: 2 },
  { key: 'joinP50Ms', title: 'connect to joined p50', unit: 'ms', digits: 1, main: true },
  { key: 'joinP99Ms', title: 'connect to joined p99', unit: 'ms', digits: 1, main: true },
  { key: 'connectionsPerSecond', title: 'connections per second', unit: '', digits: 0, main: true },
  { key: 'missedGiven', title: 'missed messages recovered', unit: '%', digits: 1, main: true },
  { key: 'kbPerConnection', title: 'memory per connection (RSS)', unit: 'kB', digits: 1, main: true },
  { key: 'heapKbPerConnection', title: 'live heap per connection', unit: 'kB', digits: 1, main: true },
  { key: 'idleCpuPercent', title: 'gateway CPU, all clients silent', unit: '% of a core', digits: 2, main: true },
  { key: 'idleRedisCpuPercent', title: 'Redis CPU, all clients silent', unit: '% of a core', digits: 2 },
  { key: 'bystanderCpuPercent', title: 'CPU of a node without members', unit: '% of a core', digits: 2, main: true },
  {
    key: 'bystanderBytesPerMessage',
    title: 'bytes from Redis to a node without members, per message',
    unit: 'B',
    digits: 1,
    main: true,
  },
  { key: 'storeCallsPerMessage', title: 'Redis commands per message, including those in scripts', unit: '', digits: 2 },
  { key: 'storeScriptsPerMessage', title: 'Redis script calls per message', unit: '', digits: 2 },
  { key: 'storeInBytesPerMessage', title: 'bytes into Redis per message', unit: 'B', digits: 0 },
  { key: 'storeOutBytesPerMessage', title: 'bytes out of Redis per message', unit: 'B', digits: 0 },
  { key: 'loopDelayP99Ms', title: 'event-loop delay p99, worst gateway', unit: 'ms', digits: 1, main: true },
  { key: 'messagesPerSecond', title: 'messages per second', unit: '', digits: 1 },
  { key: 'deliveriesPerSecond', title: 'deliveries per second', unit: '', digits: 0 },
  { key: 'generatorCpuPercent', title: 'CPU of the load generator', unit: '% of a core', digits: 0 },
  { key: 'latenessP99Ms', title: 'lateness of sends p99', unit: 'ms', digits: 2 },
  { key: 'machineBusyPercent', title: 'machine busy', unit: '%', digits: 0 },
] as const satisfies readonly Figure[];

export type FigureKey = (typeof FIGURES)[number]['key'];
export type Figures = Partial<Record<FigureKey, number>>;

export interface RunResult {
  load: string;
  variant: string;
  round: number;
  figures: Figures;
  /** Redis calls by command during the measurement. */
  storeCalls: Record<string, number>;
  /** Why the figures do not count. Empty if they do. */
  voidReasons: string[];
  /** Conditions that may have distorted the figures. */
  warnings: string[];
}

export interface Summary {
  load: string;
  variant: string;
  runs: number;
  voidRuns: number;
  figures: Figures;
}

/** For each load and variant, the medians of the runs that count. */
export function summarise(runs: readonly RunResult[]): Summary[] {
  const groups = Map.groupBy(runs, ({ load, variant }) => `${load} ${variant}`);
  return [...groups.values()].map((group) => {
    const valid = group.filter(({ voidReasons }) => voidReasons.length === 0);
    const figures: Figures = {};
    for (const { key } of FIGURES) {
      const values = valid.map((run) => run.figures[key]).filter((value) => value !== undefined);
      if (values.length > 0) figures[key] = median(values);
    }
    const [{ load, variant }] = group as [RunResult];
    return { load, variant, runs: group.length, voidRuns: group.length - valid.length, figures };
  });
}

/** With an even number of values it is the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
