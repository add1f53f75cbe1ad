/** The command line of `npm run test:faults`. Pure. */
import path from 'node:path';

export const HELP = `Usage: npm run test:faults -- [options]

Starts its own cluster, lets clients chat, edit, react and read, injects random faults, and checks what clients saw.

  --minutes M      the duration of the run                       (5; fractions are allowed)
  --seed N         repeats the schedule of an earlier run        (random)
  --clients N      clients, every fifth by long-polling only     (40)
  --rate R         acts a second, of all clients: messages, edits, reactions, reads … (40)
  --rooms N        rooms; every client is in two                 (a tenth of the clients, at least 3)
  --gateways N     gateways at the beginning                     (3)
  --network P      per cent of the time for faults of the network, with proxies before Redis (20)
  --archive P      per cent of the time with an archive, for its own faults (15); with --acts: above 0 the archive runs,
                   and its processes, Redis and gateways are killed (0)
  --faults A,B     only faults whose names begin with these: "store killed,gateway"
  --store KIND     single, sentinel or cluster: where the log is   (single)
  --wait N         acknowledge a message when N replicas have it (all: 2 on sentinel, 1 on cluster)
  --outage S       seconds of the long outage, in runs of 15 minutes or more or by name (90)
  --set NAME=VALUE a setting of the services; may be repeated: MARU_FAST_PATH=off
  --crowd N        instead of random faults: kill -9 of a gateway with a quarter of N clients, under load and in silence
  --acts N         instead of random faults: N random acts of all clients in all rooms, with kill -9 of gateways at random
  --report DIR     writes report.md and report.json
  --out FILE       writes the Markdown report, for example docs/measurements/2026-11-28-faults.md
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
  archivePercent: number;
  store: StoreKind;
  waitReplicas: number;
  outageSeconds: number;
  /** Settings of the services (docs/settings.md), in addition to those of a trial. */
  settings: Record<string, string>;
  /** Number of acts while gateways are killed. Undefined for random faults. */
  acts: number | undefined;
  /** Clients of the crowd that loses a gateway; undefined for random faults. */
  crowd: number | undefined;
  /** Prefixes of fault names. Empty for all. */
  faults: string[];
  reportDir: string | undefined;
  outFile: string | undefined;
}

export const STORE_KINDS = ['single', 'sentinel', 'cluster'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** The replicas of each primary. */
const REPLICAS: Record<StoreKind, number> = { single: 0, sentinel: 2, cluster: 1 };

/** An invalid option. The message is for the user. */
export class Misuse extends Error {}

/** Every client is in two rooms, so a room has twice as many clients. */
const ROOM_CLIENTS = 10;
const CROWD_GATEWAYS = 4;
const ROOMS_MIN = 3;

const NUMBERS = {
  '--minutes': { low: 0.1, high: 1_440, whole: false },
  '--seed': { low: 0, high: 4_294_967_295, whole: true },
  '--clients': { low: 2, high: 5_000, whole: true },
  '--rate': { low: 1, high: 5_000, whole: true },
  '--rooms': { low: 1, high: 1_000, whole: true },
  '--gateways': { low: 1, high: 16, whole: true },
  '--network': { low: 0, high: 100, whole: true },
  '--archive': { low: 0, high: 100, whole: true },
  '--wait': { low: 0, high: 2, whole: true },
  '--outage': { low: 1, high: 3_600, whole: true },
  '--acts': { low: 100, high: 10_000_000, whole: true },
  '--crowd': { low: 8, high: 20_000, whole: true },
} as const;
type NumberName = keyof typeof NUMBERS;

export function parseFaultOptions(args: readonly string[], newSeed: () => number, cwd: string): FaultOptions | 'help' {
  const numbers = new Map<NumberName, number>();
  let faults: string[] = [];
  let reportDir: string | undefined;
  let outFile: string | undefined;
  let store: StoreKind = 'single';
  const settings: Record<string, string> = {};
  for (let index = 0; index < args.length; index++) {
    const [name = '', inline] = (args[index] ?? '').split(/=(.*)/s, 2);
    if (name === '--help' || name === '-h') return 'help';
    const value = inline ?? args[++index];
    if (value === undefined || value === '') throw new Misuse(`${name} needs a value.`);
    if (name === '--report') reportDir = path.resolve(cwd, value);
    else if (name === '--out') outFile = path.resolve(cwd, value);
    else if (name === '--faults') faults = value.split(',').map((part) => part.trim());
    else if (name === '--store') store = toStore(value);
    else if (name === '--set') Object.assign(settings, toSetting(value));
    else if (Object.hasOwn(NUMBERS, name)) numbers.set(name as NumberName, toNumber(name as NumberName, value));
    else throw new Misuse(`${name} is not an option.`);
  }
  const crowd = numbers.get('--crowd');
  const acts = numbers.get('--acts');
  const clients = crowd ?? numbers.get('--clients') ?? 40;
  return {
    minutes: numbers.get('--minutes') ?? 5,
    seed: numbers.get('--seed') ?? newSeed(),
    clients,
    rate: numbers.get('--rate') ?? 40,
    rooms: numbers.get('--rooms') ?? Math.max(ROOMS_MIN, Math.ceil(clients / ROOM_CLIENTS)),
    gateways: numbers.get('--gateways') ?? (crowd === undefined && acts === undefined ? 3 : CROWD_GATEWAYS),
    networkPercent: numbers.get('--network') ?? (crowd === undefined ? 20 : 0),
    archivePercent: numbers.get('--archive') ?? (crowd === undefined && acts === undefined ? 15 : 0),
    store,
    waitReplicas: numbers.get('--wait') ?? REPLICAS[store],
    outageSeconds: numbers.get('--outage') ?? 90,
    settings,
    acts,
    crowd,
    faults,
    reportDir,
    outFile,
  };
}

function toStore(value: string): StoreKind {
  const kind = STORE_KINDS.find((known) => known === value);
  if (kind === undefined) throw new Misuse(`--store takes ${STORE_KINDS.join(', ')}, not ${value}.`);
  return kind;
}

function toSetting(text: string): Record<string, string> {
  const [, name, value] = /^(MARU_[A-Z_]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Misuse(`--set takes MARU_NAME=VALUE, not ${text}.`);
  return { [name]: value };
}

function toNumber(name: NumberName, value: string): number {
  const { low, high, whole } = NUMBERS[name];
  const number = Number(value);
  if (Number.isNaN(number) || number < low || number > high || (whole && !Number.isInteger(number)))
    throw new Misuse(`${name} takes ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}, not ${value}.`);
  return number;
}
