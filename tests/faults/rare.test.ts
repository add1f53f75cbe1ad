/**
 * Rare faults, each once and briefly, on a whole cluster. Its log is on a disk that can be filled.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PROCESS_FAULTS } from './cluster-faults.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import { EDGE_FAULTS } from './edge-faults.ts';
import { type ClusterEnvironment, startClusterEnvironment } from './environment.ts';
import { createRandom } from './random.ts';
import { fixedSchedule } from './schedule.ts';
import { STORE_FAULTS } from './store-faults.ts';
import { type Planned, runTrial } from './trial.ts';
import { SHARED_CORES_MS } from './watch.ts';

const CLIENTS = 20;
// A draining node has half of the clients, so a drain takes two seconds.
const environment = await startClusterEnvironment({ gateways: 2, drainPerSecond: 5, smallDisk: true });
after(() => environment.stop());

async function keepsItsPromises(plan: ReadonlyArray<Planned<ClusterEnvironment>>, say: (line: string) => void) {
  const result = await runTrial({
    environment,
    plan,
    clients: CLIENTS,
    rooms: 2,
    actsPerSecond: 40,
    slackMs: SHARED_CORES_MS,
    random: createRandom(plan.length),
    say,
  });
  const singly = result.injected.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
  assert.deepEqual([...result.violations, ...singly], []);
  assert.equal(result.injected.length, plan.length);
}

test('a cluster keeps its promises through rare faults', async (context) => {
  const steps = [
    ['gateway cut short', 2_800],
    ['cut off in its sleep', 500],
    ['affinity changed', 1_000],
    ['clock jumped', 500],
    ['store loading', 2_000],
  ] as const;
  const plan = fixedSchedule([...PROCESS_FAULTS, ...EDGE_FAULTS, ...STORE_FAULTS], steps, 200);
  await keepsItsPromises(plan, (line) => context.diagnostic(line));
});

test('a full disk loses no acknowledged message', async (context) => {
  if (typeof environment.disk === 'string') return context.skip(environment.disk);
  const steps = [
    ['disk full', 1_500],
    ['disk refusing', 1_500],
  ] as const;
  await keepsItsPromises(fixedSchedule(DISK_FAULTS, steps, 200), (line) => context.diagnostic(line));
});
