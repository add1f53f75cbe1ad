/**
 * Each kind of connection to the store goes silent permanently. `npm run test:faults -- --store`
 * does the same with Sentinel and Cluster, which would take a minute here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxiedEnvironment } from './environment.ts';
import { createRandom } from './random.ts';
import { fixedSchedule } from './schedule.ts';
import { silentFaults } from './silent-faults.ts';
import { runTrial } from './trial.ts';
import { SHARED_CORES_MS } from './watch.ts';

test('gateways reopen silent connections to the store and keep their promises', async (context) => {
  const environment = await startProxiedEnvironment({ gateways: 2, store: 'single' });
  context.after(() => environment.stop());
  const faults = silentFaults('single');
  const plan = fixedSchedule(
    faults,
    faults.map(({ name }) => [name, 0] as const),
    200,
  );
  const result = await runTrial({
    environment,
    plan,
    clients: 12,
    rooms: 2,
    actsPerSecond: 30,
    slackMs: SHARED_CORES_MS,
    random: createRandom(1),
    say: (line) => context.diagnostic(line),
  });
  const singly = result.injected.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
  assert.deepEqual([...result.violations, ...singly], []);
  assert.equal(result.injected.length, plan.length);
});
