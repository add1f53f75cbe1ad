/** `npm run test:faults`: random faults for as long as one likes. Started by tools/faults.mjs on the pinned Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROCESS_FAULTS } from './cluster-faults.ts';
import type { Fault } from './fault.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { type FaultOptions, HELP, Misuse, parseFaultOptions } from './options.ts';
import { createRandom } from './random.ts';
import { createReport, renderReport } from './report.ts';
import { randomSchedule } from './schedule.ts';
import { type Site, startClusterSite, startProxiedSite } from './site.ts';
import { STORE_FAULTS } from './store-faults.ts';
import { runTrial, type TrialResult } from './trial.ts';

const PROXIED_GATEWAYS = 2;
/** A crowd that leaves room for what two gateways without a balancer can take. */
const PROXIED_CLIENTS_MAX = 60;
const SEEDS = 1_000_000;

let ending = false;
/** What runs, to be ended with this process. */
let current: Site | undefined;

async function runPart<S extends Site>(part: {
  what: string;
  start: () => Promise<S>;
  faults: ReadonlyArray<Fault<S>>;
  minutes: number;
  clients: number;
  seed: number;
  options: FaultOptions;
}): Promise<TrialResult[]> {
  const { options, faults } = part;
  if (part.minutes <= 0 || faults.length === 0 || ending) return [];
  say(`== ${part.what}: ${part.minutes.toFixed(1)} min, ${faults.length} kinds of faults`);
  const site = await part.start();
  current = site;
  try {
    const random = createRandom(part.seed);
    const endAtMs = Date.now() + part.minutes * 60_000;
    const isOver = () => ending || Date.now() >= endAtMs;
    const trial = await runTrial({
      site,
      // Of its own, so that the traffic does not change the schedule.
      plan: randomSchedule({ faults, random: createRandom(part.seed ^ 0x5bd1e995), isOver }),
      clients: part.clients,
      rooms: options.rooms,
      messagesPerSecond: options.rate,
      random,
      say,
      isEnding: () => ending,
    });
    return [trial];
  } finally {
    current = undefined;
    await site.stop();
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`);

const chosen = <S>(faults: ReadonlyArray<Fault<S>>, { faults: names }: FaultOptions) =>
  faults.filter(({ name }) => names.length === 0 || names.some((beginning) => name.startsWith(beginning)));

async function main(): Promise<number> {
  const options = parseFaultOptions(process.argv.slice(2), () => Math.floor(Math.random() * SEEDS), process.cwd());
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  const processFaults = chosen([...PROCESS_FAULTS, ...STORE_FAULTS], options);
  const networkFaults = chosen(NETWORK_FAULTS, options);
  if (processFaults.length + networkFaults.length === 0)
    throw new Misuse(
      `No fault begins so. They are: ${[...PROCESS_FAULTS, ...STORE_FAULTS, ...NETWORK_FAULTS].map(({ name }) => name).join(', ')}.`,
    );
  const share = processFaults.length === 0 ? 1 : networkFaults.length === 0 ? 0 : options.networkPercent / 100;
  say(`seed ${options.seed}; the same faults again: npm run test:faults -- --seed ${options.seed}`);
  const startedAtMs = Date.now();
  const trials = [
    ...(await runPart({
      what: `${options.gateways} gateways behind nginx`,
      start: () => startClusterSite({ gateways: options.gateways }),
      faults: processFaults,
      minutes: options.minutes * (1 - share),
      clients: options.clients,
      seed: options.seed,
      options,
    })),
    ...(await runPart({
      what: `${PROXIED_GATEWAYS} gateways behind a proxy to the store`,
      start: () => startProxiedSite({ gateways: PROXIED_GATEWAYS }),
      faults: networkFaults,
      minutes: options.minutes * share,
      clients: Math.min(options.clients, PROXIED_CLIENTS_MAX),
      seed: options.seed + 1,
      options,
    })),
  ];
  const report = createReport({ startedAtMs, endedAtMs: Date.now(), options, endedEarly: ending, trials });
  const text = renderReport(report);
  if (options.reportDir !== undefined) {
    mkdirSync(options.reportDir, { recursive: true });
    writeFileSync(path.join(options.reportDir, 'report.md'), text);
    writeFileSync(path.join(options.reportDir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  }
  say(`\n${text}`);
  return report.violations.length === 0 ? 0 : 1;
}

async function endAtOnce(code: number): Promise<void> {
  await current?.stop();
  process.exit(code);
}

// The first Ctrl-C ends it in order, with a report of what was seen until then.
process.once('SIGINT', () => {
  ending = true;
  say('ending after this fault; again to end at once');
  process.once('SIGINT', () => void endAtOnce(130));
});
process.once('SIGTERM', () => void endAtOnce(143));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof Misuse) say(`${error.message}\n\n${HELP}`);
    else console.error(error);
    process.exit(error instanceof Misuse ? 2 : 1);
  },
);
