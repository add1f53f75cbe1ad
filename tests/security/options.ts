/** The command line of `npm run test:security`. Pure. */
import path from 'node:path';

export const PROGRAMS = ['race', 'revoke', 'office', 'attackers'] as const;
export type Program = (typeof PROGRAMS)[number];

export const HELP = `Usage: npm run test:security -- [options]

Starts its own clusters and measures what users can do to each other, and what they cannot.

  --only A,B       of race, revoke, office, attackers            (all)
  --rounds N       rounds of the race                            (200)
  --minutes M      of office, and of each run of attackers       (10; fractions are allowed)
  --guests A,B     guest tokens of the runs of attackers         (1,100)
  --users N        users of the office                           (2000)
  --seed N         repeats the acts of an earlier race           (random)
  --out FILE       writes the Markdown report
  --help           this text

The exit code is 0 when nothing was violated, 1 when something was, 2 when an option was wrong.`;

export interface SecurityOptions {
  only: readonly Program[];
  rounds: number;
  minutes: number;
  guests: readonly number[];
  users: number;
  seed: number;
  outFile: string | undefined;
}

/** An invalid option. The message is for the user. */
export class Misuse extends Error {}

const NUMBERS = {
  '--rounds': { low: 1, high: 100_000, whole: true },
  '--minutes': { low: 0.1, high: 1_440, whole: false },
  '--users': { low: 100, high: 10_000, whole: true },
  '--seed': { low: 0, high: 4_294_967_295, whole: true },
} as const;
const GUESTS = { low: 1, high: 1_000, whole: true };
type Range = { low: number; high: number; whole: boolean };
type NumberName = keyof typeof NUMBERS;

export function parseOptions(args: readonly string[], newSeed: () => number, cwd: string): SecurityOptions | 'help' {
  const numbers = new Map<NumberName, number>();
  let only: readonly Program[] = PROGRAMS;
  let guests: readonly number[] = [1, 100];
  let outFile: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const [name = '', inline] = (args[index] ?? '').split(/=(.*)/s, 2);
    if (name === '--help' || name === '-h') return 'help';
    const value = inline ?? args[++index];
    if (value === undefined || value === '') throw new Misuse(`${name} needs a value.`);
    if (name === '--only') only = value.split(',').map(toProgram);
    else if (name === '--out') outFile = path.resolve(cwd, value);
    else if (name === '--guests') guests = value.split(',').map((part) => toNumber(name, part, GUESTS));
    else if (Object.hasOwn(NUMBERS, name))
      numbers.set(name as NumberName, toNumber(name, value, NUMBERS[name as NumberName]));
    else throw new Misuse(`${name} is not an option.`);
  }
  return {
    only,
    rounds: numbers.get('--rounds') ?? 200,
    minutes: numbers.get('--minutes') ?? 10,
    guests,
    users: numbers.get('--users') ?? 2_000,
    seed: numbers.get('--seed') ?? newSeed(),
    outFile,
  };
}

function toProgram(text: string): Program {
  const program = PROGRAMS.find((known) => known === text.trim());
  if (program === undefined) throw new Misuse(`--only takes ${PROGRAMS.join(', ')}, not ${text}.`);
  return program;
}

function toNumber(name: string, text: string, { low, high, whole }: Range): number {
  const number = Number(text);
  if (Number.isNaN(number) || number < low || number > high || (whole && !Number.isInteger(number)))
    throw new Misuse(`${name} takes ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}, not ${text}.`);
  return number;
}
