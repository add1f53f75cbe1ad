/** The command line of `npm run bench`. Pure. */
import path from 'node:path';
import { FULL, type Load, loadsAt, type Pace, QUICK } from './loads.ts';
import { findVariant, VARIANT_NAMES, type Variant } from './variants/variants.ts';

const LOADS = loadsAt(FULL);
const QUICK_VARIANTS = ['maru', 'stock-classic', 'floor'];
const column = Math.max(...LOADS.map(({ name }) => name.length)) + 2;

export const HELP = `Usage: npm run bench -- [options]

Measures Maru beside stock Socket.IO and a hand-made floor: the same clients, the same Node, the same Redis settings, one machine, in
turns. Prints medians; a run with one missing or doubled delivery does not count, and is said.

  --loads A,B       only these loads                              (all)
  --variants A,B    only these variants                           (all; with --quick ${QUICK_VARIANTS.join(', ')})
  --rounds N        runs of each load with each variant           (3; with --quick 1)
  --quick           short runs and smaller crowds: to see that it works, not for figures
  --out DIR         where bench.json and bench.html are written   (bench-results)
  --markdown FILE   writes the table into FILE, between its markers
  --capacity FILE   writes the tables of the capacity guide into FILE, between its markers
  --from A,B        measures nothing: reports what these bench.json hold, of one machine
  --help            this text

Loads:
${LOADS.map(({ name, title }) => `  ${name.padEnd(column)}${title}`).join('\n')}

Variants: ${VARIANT_NAMES.join(', ')}.
maru@DIR measures the gateways of another checkout, maru+NAME=VALUE ours with a setting: --variants maru,maru+MARU_AUDIT_PERIOD_MS=5000

The exit code is 0 when every run counted, 1 when one did not, 2 when an option was wrong.`;

export interface BenchOptions {
  loads: Load[];
  variants: Variant[];
  rounds: number;
  quick: boolean;
  pace: Pace;
  outDir: string;
  markdown: string | undefined;
  capacity: string | undefined;
  /** Files to report; empty where something is measured. */
  from: string[];
}

/** A wrong option: the message is for the one who typed it. */
export class Misuse extends Error {}

const ROUNDS_MAX = 99;

export function parseBenchOptions(args: readonly string[], cwd: string): BenchOptions | 'help' {
  const values = new Map<string, string>();
  let quick = false;
  for (let index = 0; index < args.length; index++) {
    const [name = '', inline] = (args[index] ?? '').split(/=(.*)/s, 2);
    if (name === '--help' || name === '-h') return 'help';
    if (name === '--quick') {
      quick = true;
      continue;
    }
    if (!['--loads', '--variants', '--rounds', '--out', '--markdown', '--capacity', '--from'].includes(name))
      throw new Misuse(`${name} is not an option.`);
    const value = inline ?? args[++index];
    if (value === undefined || value === '') throw new Misuse(`${name} needs a value.`);
    values.set(name, value);
  }
  const pace = quick ? QUICK : FULL;
  const all = loadsAt(pace);
  const rounds = Number(values.get('--rounds') ?? (quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX)
    throw new Misuse(`--rounds takes a whole number from 1 to ${ROUNDS_MAX}.`);
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
    from: (values.get('--from')?.split(',') ?? []).map((name) => path.resolve(cwd, name)),
  };
}

function pick<T>(what: string, names: string[], find: (name: string) => T | undefined): T[] {
  return names.map((name) => {
    const found = find(name.trim());
    if (found === undefined) throw new Misuse(`${name} is no ${what}.`);
    return found;
  });
}
