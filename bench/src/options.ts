/** The command line of `npm run bench`. Pure. */
import path from 'node:path';
import { FULL, type Load, loadsAt, type Pace, QUICK } from './loads.ts';
import { findVariant, VARIANT_NAMES, type Variant } from './variants/variants.ts';

const LOADS = loadsAt(FULL);
const QUICK_VARIANTS = ['maru', 'stock-classic', 'floor'];
const column = Math.max(...LOADS.map(({ name }) => name.length)) + 2;

export const HELP = `Usage: npm run bench -- [options]

Compares Maru with stock Socket.IO and a hand-written lower bound (floor). All variants use the same machine, clients, Node.js and Redis
settings, and are measured in turns. Prints medians. A run with a missing or duplicated delivery does not count; the output shows why.

  --loads A,B       run only these loads                          (all)
  --variants A,B    run only these variants                       (all; with --quick ${QUICK_VARIANTS.join(', ')})
  --rounds N        runs of each load with each variant           (3; with --quick 1)
  --quick           short runs with fewer clients: checks the setup, not for comparison
  --out DIR         directory for bench.json and bench.html       (bench-results)
  --markdown FILE   write all tables into FILE, between its markers
  --capacity FILE   write the tables of the capacity guide into FILE, between its markers
  --record          write all tables to docs/measurements/<date>-bench.md, with machine and command
  --from A,B        measure nothing; report the results in these bench.json files of one machine
  --help            show this text

Loads:
${LOADS.map(({ name, title }) => `  ${name.padEnd(column)}${title}`).join('\n')}

Variants: ${VARIANT_NAMES.join(', ')}.
maru@DIR measures the services of another checkout. maru+NAME=VALUE adds a gateway setting:
  --variants maru,maru+MARU_AUDIT_PERIOD_MS=5000

Exit codes: 0 if every run counts, 1 if a run does not count or the bench failed, 2 for a wrong option, 130 after an interruption.`;

export interface BenchOptions {
  loads: Load[];
  variants: Variant[];
  rounds: number;
  quick: boolean;
  pace: Pace;
  outDir: string;
  markdown: string | undefined;
  capacity: string | undefined;
  /** Also write the report to docs/measurements. */
  record: boolean;
  /** Reports to read. Empty to measure. */
  from: string[];
}

/** A wrong option or setup. The message is for the user. */
export class UsageError extends Error {}

const ROUNDS_MAX = 99;
const FLAGS = ['--quick', '--record'];
const OPTIONS = ['--loads', '--variants', '--rounds', '--out', '--markdown', '--capacity', '--from'];

export function parseBenchOptions(args: readonly string[], cwd: string): BenchOptions | 'help' {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let index = 0; index < args.length; index++) {
    const [name = '', inline] = (args[index] ?? '').split(/=(.*)/s, 2);
    if (name === '--help' || name === '-h') return 'help';
    if (FLAGS.includes(name)) {
      if (inline !== undefined) throw new UsageError(`${name} takes no value.`);
      flags.add(name);
      continue;
    }
    if (!OPTIONS.includes(name)) throw new UsageError(`${name} is not an option.`);
    const value = inline ?? args[++index];
    if (value === undefined || value === '') throw new UsageError(`${name} needs a value.`);
    values.set(name, value);
  }
  const quick = flags.has('--quick');
  const pace = quick ? QUICK : FULL;
  const all = loadsAt(pace);
  const rounds = Number(values.get('--rounds') ?? (quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX)
    throw new UsageError(`--rounds must be a whole number from 1 to ${ROUNDS_MAX}.`);
  const file = (name: string) => {
    const value = values.get(name);
    return value === undefined ? undefined : path.resolve(cwd, value);
  };
  return {
    loads: pick('load', values.get('--loads')?.split(',') ?? all.map(({ name }) => name), (wanted) =>
      all.find(({ name }) => name === wanted),
    ),
    variants: pick(
      'variant',
      values.get('--variants')?.split(',') ?? (quick ? QUICK_VARIANTS : VARIANT_NAMES),
      findVariant,
    ),
    rounds,
    quick,
    pace,
    outDir: file('--out') ?? path.resolve(cwd, 'bench-results'),
    markdown: file('--markdown'),
    capacity: file('--capacity'),
    record: flags.has('--record'),
    from: (values.get('--from')?.split(',') ?? []).map((name) => path.resolve(cwd, name)),
  };
}

function pick<T>(what: string, names: string[], find: (name: string) => T | undefined): T[] {
  return names.map((name) => {
    const found = find(name.trim());
    if (found === undefined) throw new UsageError(`${name} is not a ${what}.`);
    return found;
  });
}
