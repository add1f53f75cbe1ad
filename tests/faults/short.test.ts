/** Each common fault once, briefly, on a whole cluster. Rare faults are in `rare.test.ts`. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PROCESS_FAULTS } from './cluster-faults.ts';
import { COMMAND_FAULTS } from './command-faults.ts';
import { EDGE_FAULTS } from './edge-faults.ts';
import { startClusterEnvironment } from './environment.ts';
import { createRandom } from './random.ts';
import { fixedSchedule } from './schedule.ts';
import { STORE_FAULTS } from './store-faults.ts';
import { runTrial, type TrialResult } from './trial.ts';
import { SHARED_CORES_MS } from './watch.ts';

const environment = await startClusterEnvironment({ gateways: 3 });
after(() => environment.stop());

const plan = fixedSchedule(
  [...PROCESS_FAULTS, ...COMMAND_FAULTS, ...EDGE_FAULTS, ...STORE_FAULTS],
  [
    ['gateway killed', 0],
    ['store killed', 3_000],
    ['subscribers dropped', 0],
    ['store stopped', 1_800],
    ['scripts forgotten', 0],
    ['store full', 1_200],
    ['store read-only', 1_200],
    ['log rolled back', 500],
    ['nginx reloaded', 500],
    ['last message lost', 0],
    ['gateway rolled', 0],
  ],
  300,
);

/** All violations of the run and of its faults. */
const foundIn = (result: TrialResult) => [
  ...result.violations,
  ...result.injected.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`)),
];

test('a cluster keeps its promises through one of each fault', async (context) => {
  const result = await runTrial({
    environment,
    plan,
    clients: 24,
    rooms: 3,
    actsPerSecond: 40,
    slackMs: SHARED_CORES_MS,
    random: createRandom(1),
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(foundIn(result), []);
  assert.equal(result.injected.length, plan.length);
  assert(result.stored > 300, `only ${result.stored} messages were stored`);
});

// The load balancer must use a restarted node at once, also for WebSockets, whose requests last for
// hours.
test('WebSocket clients find restarted gateways after each was killed in turn', async (context) => {
  const result = await runTrial({
    environment,
    plan: fixedSchedule(PROCESS_FAULTS, [['gateways killed in turn', 1_500]], 300),
    clients: 24,
    rooms: 2,
    actsPerSecond: 20,
    pollingEvery: 0,
    slackMs: SHARED_CORES_MS,
    random: createRandom(2),
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(foundIn(result), []);
});
