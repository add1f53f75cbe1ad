/** `npm run test:faults`: injects random faults for some minutes. tools/faults.mjs starts it. */
import { runConversations } from './conversations.ts';
import { CROWD_FAULTS, runCrowdTrial } from './crowd-trial.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import {
  type ClusterEnvironment,
  type Environment,
  type ProxiedEnvironment,
  startClusterEnvironment,
  startProxiedEnvironment,
} from './environment.ts';
import type { Fault } from './fault.ts';
import { archiveFaults, COMMON_FAULTS, killsOf, namesOf, storeFaults } from './fault-sets.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { type FaultOptions, HELP, Misuse, parseFaultOptions } from './options.ts';
import { createRandom } from './random.ts';
import { redisClusterFaults, startRedisClusterStore } from './redis-cluster-faults.ts';
import { createReport } from './report.ts';
import { writeReport } from './report-files.ts';
import { fitting, randomSchedule } from './schedule.ts';
import { sentinelFaults } from './sentinel-faults.ts';
import { startSentinelStore } from './sentinel-store.ts';
import { silentFaults } from './silent-faults.ts';
import { whyNoDisk } from './small-disk.ts';
import type { OwnStore } from './store.ts';
import { runTrial, type TrialResult } from './trial.ts';

/** Per cent of a run on one Redis for a full disk. */
const DISK_PERCENT = 5;
/** How long a drain takes with the few clients of a trial. */
const DRAIN_SECONDS = 3;
const PROXIED_GATEWAYS = 2;
/** Two gateways without a load balancer handle this many clients well. */
const PROXIED_CLIENTS_MAX = 60;
const SEEDS = 1_000_000;

let ending = false;
/** The running environment. It ends with this process. */
let current: Environment | undefined;

/** Runs one trial in its own environment. Does nothing if there is no fault to inject. */
async function runPart<S extends Environment>(part: {
  what: string;
  start: () => Promise<S>;
  faults: ReadonlyArray<Fault<S>>;
  minutes: number;
  clients: number;
  seed: number;
  options: FaultOptions;
}): Promise<TrialResult[]> {
  const { options } = part;
  const lengthMs = part.minutes * 60_000;
  const faults = fitting(chosen(part.faults, options), { lengthMs, isNamed: () => options.faults.length > 0 });
  if (part.minutes <= 0 || faults.length === 0 || ending) return [];
  say(`== ${part.what}: ${part.minutes.toFixed(1)} min, ${faults.length} kinds of faults`);
  const environment = await part.start();
  current = environment;
  try {
    const random = createRandom(part.seed);
    const endAtMs = Date.now() + lengthMs;
    const isOver = () => ending || Date.now() >= endAtMs;
    const trial = await runTrial({
      environment,
      // Traffic does not change the schedule.
      plan: randomSchedule({ faults, random: createRandom(part.seed ^ 0x5bd1e995), isOver }),
      clients: part.clients,
      rooms: options.rooms,
      actsPerSecond: options.rate,
      random,
      say,
      isEnding: () => ending,
    });
    return [trial];
  } finally {
    current = undefined;
    await environment.stop();
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`);

const chosen = <S>(faults: ReadonlyArray<Fault<S>>, { faults: names }: FaultOptions) =>
  faults.filter(({ name }) => names.length === 0 || names.some((beginning) => name.startsWith(beginning)));

const drainPace = ({ clients, gateways }: FaultOptions) => Math.max(1, Math.ceil(clients / gateways / DRAIN_SECONDS));

/** Runs a trial on a cluster with several Redis nodes. */
async function runOnStore<S extends OwnStore>(
  options: FaultOptions,
  startStore: () => Promise<S>,
  faults: ReadonlyArray<Fault<ClusterEnvironment<S>>>,
): Promise<TrialResult[]> {
  const { gateways } = options;
  const own = [...(COMMON_FAULTS as ReadonlyArray<Fault<ClusterEnvironment<S>>>), ...faults];
  const silent = silentFaults(options.store);
  const { cluster, network } = sharesOf(options, {
    cluster: chosen(own, options).length,
    network: chosen(silent, options).length,
  });
  const onCluster = await runPart({
    what: `${gateways} gateways behind nginx, the log on ${options.store}, WAIT ${options.waitReplicas}`,
    async start() {
      const store = await startStore();
      try {
        const environment = await startClusterEnvironment({
          gateways,
          drainPerSecond: drainPace(options),
          store,
          settings: options.settings,
        });
        const stop = async () => {
          await environment.stop();
          await store.stop();
        };
        return { ...environment, stop };
      } catch (error) {
        await store.stop();
        throw error;
      }
    },
    faults: own,
    minutes: options.minutes * cluster,
    clients: options.clients,
    seed: options.seed,
    options,
  });
  return [...onCluster, ...(await runProxied(options, silent, options.minutes * network))];
}

/** The shares of the time for the parts of a run that have faults. */
function sharesOf(
  { networkPercent, archivePercent }: FaultOptions,
  faults: { cluster: number; network: number; disk?: number; archive?: number },
) {
  const share = (count: number | undefined, percent: number) => ((count ?? 0) === 0 ? 0 : percent / 100);
  const disk = share(faults.disk, DISK_PERCENT);
  const network = share(faults.network, networkPercent);
  const archive = share(faults.archive, archivePercent);
  const cluster = faults.cluster === 0 ? 0 : Math.max(0, 1 - disk - network - archive);
  const whole = disk + network + archive + cluster || 1;
  return { disk: disk / whole, network: network / whole, archive: archive / whole, cluster: cluster / whole };
}

/** Runs faults of the network between the gateways and the store. */
function runProxied(
  options: FaultOptions,
  faults: ReadonlyArray<Fault<ProxiedEnvironment>>,
  minutes: number,
): Promise<TrialResult[]> {
  const { store, settings } = options;
  return runPart({
    what: `${PROXIED_GATEWAYS} gateways behind proxies to the store, ${store}`,
    start: () => startProxiedEnvironment({ gateways: PROXIED_GATEWAYS, store, settings }),
    faults,
    minutes,
    clients: Math.min(options.clients, PROXIED_CLIENTS_MAX),
    seed: options.seed + 1,
    options,
  });
}

async function runRandomly(options: FaultOptions): Promise<TrialResult[]> {
  const { gateways, clients, seed, minutes, waitReplicas, settings } = options;
  if (options.store === 'sentinel')
    return runOnStore(options, () => startSentinelStore({ waitReplicas }), sentinelFaults(waitReplicas));
  if (options.store === 'cluster')
    return runOnStore(options, () => startRedisClusterStore({ waitReplicas }), redisClusterFaults(waitReplicas));
  const clusterFaults = [...COMMON_FAULTS, ...storeFaults(options)];
  const networkFaults = [...NETWORK_FAULTS, ...silentFaults('single')];
  const isDiskChosen = chosen(DISK_FAULTS, options).length > 0;
  const noDisk = isDiskChosen ? await whyNoDisk() : undefined;
  if (noDisk !== undefined) say(`SKIPPED a full disk: ${noDisk}`);
  const ofArchive = archiveFaults(options);
  const { cluster, disk, network, archive } = sharesOf(options, {
    cluster: chosen(clusterFaults, options).length,
    network: chosen(networkFaults, options).length,
    archive: chosen(ofArchive, options).length,
    disk: isDiskChosen && noDisk === undefined ? 1 : 0,
  });
  const drainPerSecond = drainPace(options);
  return [
    ...(await runPart({
      what: `${gateways} gateways behind nginx`,
      start: () => startClusterEnvironment({ gateways, drainPerSecond, settings }),
      faults: clusterFaults,
      minutes: minutes * cluster,
      clients,
      seed,
      options,
    })),
    ...(await runPart({
      what: `${gateways} gateways behind nginx, the log on a small disk`,
      start: () => startClusterEnvironment({ gateways, drainPerSecond, settings, smallDisk: true }),
      faults: DISK_FAULTS,
      minutes: minutes * disk,
      clients,
      seed: seed + 2,
      options,
    })),
    ...(await runPart({
      what: `${gateways} gateways behind nginx, with an archive`,
      start: () => startClusterEnvironment({ gateways, drainPerSecond, settings, archive: true }),
      faults: ofArchive,
      minutes: minutes * archive,
      clients,
      seed: seed + 3,
      options,
    })),
    ...(await runProxied(options, networkFaults, minutes * network)),
  ];
}

/** A large crowd. Some of it loses its gateway, under load and while quiet. */
async function runCrowd(options: FaultOptions): Promise<TrialResult[]> {
  const { gateways, clients, settings } = options;
  const faults = chosen(CROWD_FAULTS, options);
  if (faults.length === 0) return [];
  say(`== ${clients} clients on ${gateways} gateways`);
  const environment = await startClusterEnvironment({ gateways, settings });
  current = environment;
  try {
    return [await runCrowdTrial({ environment, faults, options, say, isEnding: () => ending })];
  } finally {
    current = undefined;
    await environment.stop();
  }
}

/** Many acts of few users, while gateways are killed. */
async function runActs(options: FaultOptions, acts: number): Promise<TrialResult[]> {
  const { gateways, clients, rooms, rate, seed, settings } = options;
  say(`== ${acts} acts of ${clients} users in ${rooms} rooms on ${gateways} gateways`);
  const archive = options.archivePercent > 0;
  const environment = await startClusterEnvironment({ gateways, settings, archive });
  current = environment;
  try {
    const random = createRandom(seed ^ 0x2c1b3c6d);
    const run = {
      environment,
      faults: killsOf(archive),
      acts,
      clients,
      rooms,
      actsPerSecond: rate,
      random,
      seed,
      say,
      isEnding: () => ending,
    };
    return [await runConversations(run)];
  } finally {
    current = undefined;
    await environment.stop();
  }
}

function runAll(options: FaultOptions): Promise<TrialResult[]> {
  if (options.acts !== undefined) return runActs(options, options.acts);
  return options.crowd === undefined ? runRandomly(options) : runCrowd(options);
}

async function main(): Promise<number> {
  const options = parseFaultOptions(process.argv.slice(2), () => Math.floor(Math.random() * SEEDS), process.cwd());
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  say(`seed ${options.seed}; the same faults again: npm run test:faults -- --seed ${options.seed}`);
  const startedAtMs = Date.now();
  const trials = await runAll(options);
  if (trials.length === 0)
    throw new Misuse(`No fault begins with this name. The faults are: ${namesOf(options).join(', ')}.`);
  const report = createReport({ startedAtMs, endedAtMs: Date.now(), options, endedEarly: ending, trials });
  say(`\n${writeReport(report)}`);
  return report.violations.length === 0 ? 0 : 1;
}

async function endAtOnce(code: number): Promise<void> {
  await current?.stop();
  process.exit(code);
}

// The first Ctrl-C ends the run in order, with a report.
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
