/** The complete result of one call of the bench, stored as `bench.json`. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { type RunResult, type Summary, summarise } from '../figures.ts';
import type { Load } from '../loads.ts';
import type { FlushTimes } from '../measure/flush.ts';
import { describeMachine, type Machine } from '../measure/system.ts';
import type { BenchOptions } from '../options.ts';

export interface Report {
  format: 1;
  /** ISO 8601. */
  measuredAt: string;
  machine: Machine;
  /** Versions of Node.js, the programs and the measured packages. */
  versions: Record<string, string>;
  /** Settings that all runs share. */
  settings: string[];
  quick: boolean;
  rounds: number;
  loads: Array<Pick<Load, 'name' | 'title' | 'clients' | 'rooms' | 'nodes' | 'nodesWithMembers'>>;
  variants: Array<{ name: string; title: string; stores: boolean }>;
  runs: RunResult[];
  summaries: Summary[];
}

const require = createRequire(import.meta.url);
const versionOf = (name: string): string => {
  const manifest = path.posix.join(name, 'package.json');
  return (require(manifest) as { version: string }).version;
};

export function createReport(input: {
  options: BenchOptions;
  runs: RunResult[];
  programs: Record<string, string>;
  flushes: FlushTimes;
  nowMs: number;
}): Report {
  const { options, runs, flushes } = input;
  return {
    format: 1,
    measuredAt: new Date(input.nowMs).toISOString(),
    machine: describeMachine(),
    versions: {
      Node: process.versions.node,
      ...input.programs,
      'socket.io': versionOf('socket.io'),
      '@socket.io/redis-adapter': versionOf('@socket.io/redis-adapter'),
      ioredis: versionOf('ioredis'),
    },
    settings: [
      `Redis: appendonly yes, appendfsync always, files in ${flushes.directory}; a flush took ${flushes.p50Ms.toFixed(2)} ms (p50) and ${flushes.p99Ms.toFixed(2)} ms (p99) before the first run`,
      'clients: WebSocket only, one load generator on the same machine, texts of 100 bytes',
      `warm-up ${options.pace.warmUpMs / 1_000} s, measured ${options.pace.measureMs / 1_000} s in ${options.pace.slices} parts, rounds ${options.rounds}`,
    ],
    quick: options.quick,
    rounds: options.rounds,
    loads: options.loads.map(({ name, title, clients, rooms, nodes, nodesWithMembers }) => ({
      name,
      title,
      clients,
      rooms,
      nodes,
      nodesWithMembers,
    })),
    variants: options.variants.map(({ name, title, stores }) => ({ name, title, stores })),
    runs,
    summaries: summarise(runs),
  };
}

/**
 * Combines reports. Undefined if they are not comparable or contain the same run twice. The result
 * has the date of the first report.
 */
export function combineReports(reports: readonly Report[]): Report | undefined {
  const [first] = reports;
  if (first === undefined || !reports.every((report) => isComparable(report, first))) return undefined;
  const all = reports.flatMap(({ runs }) => runs);
  const keys = new Set(all.map(({ load, variant, round }) => `${load} ${variant} ${round}`));
  if (keys.size < all.length) return undefined;
  return {
    ...first,
    versions: Object.assign({}, ...reports.map(({ versions }) => versions)),
    loads: byName(reports.flatMap(({ loads }) => loads)),
    variants: byName(reports.flatMap(({ variants }) => variants)),
    runs: all,
    summaries: summarise(all),
  };
}

/**
 * Machine, pace and versions must be equal. A version may be missing in one report. The settings
 * before the last one may differ, because they contain flush times.
 */
function isComparable(one: Report, other: Report): boolean {
  const conditionsOf = ({ format, quick, rounds, machine, settings }: Report) =>
    JSON.stringify([format, quick, rounds, machine, settings.at(-1)]);
  return (
    conditionsOf(one) === conditionsOf(other) &&
    Object.entries(one.versions).every(([name, version]) => (other.versions[name] ?? version) === version)
  );
}

const byName = <T extends { name: string }>(named: T[]): T[] => [
  ...new Map(named.map((each) => [each.name, each])).values(),
];

/** Date, machine and versions in one line. */
export function describeSource({ machine, versions, measuredAt }: Report): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${measuredAt.slice(0, 10)}; ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${programs.join(', ')}`;
}

/** The summaries of one load, in the order of the variants. */
export const summariesOf = (report: Report, load: string): Summary[] =>
  report.variants.flatMap(({ name }) => report.summaries.filter((each) => each.load === load && each.variant === name));

/** The void runs of a load with their reasons, and all warnings, without repetitions. */
export function remarksOf(report: Report, load: string): string[] {
  const remarks = report.runs
    .filter((run) => run.load === load)
    .flatMap(({ variant, round, voidReasons, warnings }) => [
      ...(voidReasons.length > 0 ? [`${variant}, round ${round + 1} does not count: ${voidReasons.join('; ')}`] : []),
      ...warnings.map((warning) => `${variant}: ${warning}`),
    ]);
  return [...new Set(remarks)];
}
