/**
 * Measures what the archive costs the path of messages: the CPU time of gateways and Redis for each
 * delivered message, without and with PostgreSQL and an archiver. Both clusters run at the same
 * time, because the speed of a shared machine changes from minute to minute.
 *
 *   node tests/load/archive-cost.ts [rounds=3] [seconds=60]
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { sleep } from '../support/poll.ts';
import { quantile, startCrowd } from '../support/steady-crowd.ts';

const [, , rounds = '3', seconds = '60'] = process.argv;
const CLIENTS = 200;
const CLIENTS_EACH = 50;
const PER_SECOND = 100;
const WARM_MS = 10_000;
const US_PER_TICK = 10_000;
const KINDS = ['gateway', 'redis', 'archiver'] as const;
type Costs = Record<(typeof KINDS)[number], number>;

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Microseconds of CPU that the processes have used, by kind. */
async function usedBy(cluster: Cluster): Promise<Costs> {
  const used: Costs = { gateway: 0, redis: 0, archiver: 0 };
  for (const { kind, pid } of (await cluster.status()).processes) {
    if (!(kind in used) || pid === null) continue;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    used[kind as keyof Costs] += (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
  }
  return used;
}

async function start(archive: boolean) {
  const cluster = await startCluster({ gateways: 2, archive });
  const crowd = await startCrowd({ cluster, clients: CLIENTS, clientsEach: CLIENTS_EACH, perSecond: PER_SECOND });
  return { cluster, crowd };
}
type Side = Awaited<ReturnType<typeof start>>;

async function costsDuring(sides: readonly Side[], ms: number): Promise<Costs[]> {
  for (const { crowd } of sides) crowd.takeDelivered();
  const before = await Promise.all(sides.map(({ cluster }) => usedBy(cluster)));
  await sleep(ms);
  const delivered = sides.map(({ crowd }) => crowd.takeDelivered());
  const after = await Promise.all(sides.map(({ cluster }) => usedBy(cluster)));
  return sides.map((_, side) => {
    const cost = (kind: keyof Costs) =>
      ((after[side]?.[kind] ?? 0) - (before[side]?.[kind] ?? 0)) / (delivered[side] ?? 1);
    return { gateway: cost('gateway'), redis: cost('redis'), archiver: cost('archiver') };
  });
}

say(`${availableParallelism()} × ${cpus()[0]?.model}`);
say(
  `each: ${CLIENTS} clients in rooms of ${CLIENTS_EACH}, ${PER_SECOND} messages a second; µs of CPU for each delivery`,
);
const ratios: Record<'gateways' | 'Redis' | 'both', number[]> = { gateways: [], Redis: [], both: [] };
for (let round = 1; round <= Number(rounds); round++) {
  // The cluster that starts first may get the better place in memory, so alternate.
  const first = round % 2 === 0;
  const sides = [await start(first), await start(!first)];
  try {
    await sleep(WARM_MS);
    const costs = await costsDuring(sides, Number(seconds) * 1_000);
    const [on, off] = (first ? costs : costs.toReversed()) as [Costs, Costs];
    for (const [name, one] of Object.entries({ off, on }))
      say(`${round}. archive ${name.padEnd(3)} ${KINDS.map((kind) => `${kind} ${one[kind].toFixed(2)}`).join(', ')}`);
    ratios.gateways.push(on.gateway / off.gateway);
    ratios.Redis.push(on.redis / off.redis);
    ratios.both.push((on.gateway + on.redis) / (off.gateway + off.redis));
  } finally {
    for (const { crowd, cluster } of sides) {
      crowd.stop();
      await cluster.stop();
    }
  }
}
for (const [name, all] of Object.entries(ratios))
  say(`${name.padEnd(9)} median × ${quantile(all, 0.5).toFixed(3)} of ${all.map((one) => one.toFixed(3)).join(', ')}`);
