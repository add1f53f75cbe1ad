/** The command line of `npm run test:faults`. Pure. */
import path from 'node:path';

export const HELP = `Usage: npm run test:faults -- [options]

Starts a cluster of its own, lets clients chat, injects faults at random, and judges what clients saw.

  --minutes M      how long faults go on                         (5; fractions are fine)
  --seed N         repeats the schedule of an earlier run        (a new one each time)
  --clients N      clients, every fifth by long-polling only     (40)
  --rate R         messages a second, of all together            (40)
  --rooms N        rooms; every client is in two                 (a twentieth of the clients, 3 at least)
  --gateways N     gateways at the beginning                     (3)
  --network P      per cent of the time for faults of the network, on gateways behind a proxy (20)
  --faults A,B     only faults whose names begin so: "store killed,gateway"
  --report DIR     where report.md and report.json are written
  --help           this text

The exit code is 0 when nothing was violated, 1 when something was, 2 when an option was wrong.`;

export interface FaultOptions {
  minutes: number;
  seed: number;
  clients: number;
  rate: number;
  rooms: number;
  gateways: number;
  networkPercent: number;
  /** Beginnings of names; empty for all. */
  faults: string[];
  reportDir: string | undefined;
}

/** A wrong option: the message is for the one who typed it. */
export class Misuse extends Error {}

const ROOM_CLIENTS = 20;
const ROOMS_MIN = 3;

const NUMBERS = {
  '--minutes': { low: 0.1, high: 1_440, whole: false },
  '--seed': { low: 0, high: 4_294_967_295, whole: true },
  '--clients': { low: 2, high: 5_000, whole: true },
  '--rate': { low: 1, high: 5_000, whole: true },
  '--rooms': { low: 1, high: 1_000, whole: true },
  '--gateways': { low: 1, high: 16, whole: true },
  '--network': { low: 0, high: 100, whole: true },
} as const;
type NumberName = keyof typeof NUMBERS;

export function parseFaultOptions(args: readonly string[], newSeed: () => number, cwd: string): FaultOptions | 'help' {
  const numbers = new Map<NumberName, number>();
  let faults: string[] = [];
  let reportDir: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const [name = '', inline] = (args[index] ?? '').split(/=(.*)/s, 2);
    if (name === '--help' || name === '-h') return 'help';
    const value = inline ?? args[++index];
    if (value === undefined || value === '') throw new Misuse(`${name} needs a value.`);
    if (name === '--report') reportDir = path.resolve(cwd, value);
    else if (name === '--faults') faults = value.split(',').map((part) => part.trim());
    else if (Object.hasOwn(NUMBERS, name)) numbers.set(name as NumberName, toNumber(name as NumberName, value));
    else throw new Misuse(`${name} is not an option.`);
  }
  const clients = numbers.get('--clients') ?? 40;
  return {
    minutes: numbers.get('--minutes') ?? 5,
    seed: numbers.get('--seed') ?? newSeed(),
    clients,
    rate: numbers.get('--rate') ?? 40,
    rooms: numbers.get('--rooms') ?? Math.max(ROOMS_MIN, Math.ceil(clients / ROOM_CLIENTS)),
    gateways: numbers.get('--gateways') ?? 3,
    networkPercent: numbers.get('--network') ?? 20,
    faults,
    reportDir,
  };
}

function toNumber(name: NumberName, value: string): number {
  const { low, high, whole } = NUMBERS[name];
  const number = Number(value);
  if (Number.isNaN(number) || number < low || number > high || (whole && !Number.isInteger(number)))
    throw new Misuse(`${name} takes ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}, not ${value}.`);
  return number;
}
