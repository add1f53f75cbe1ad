/** Faults of the network between gateways and Redis, each once and briefly. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startProxiedEnvironment } from './environment.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { createRandom } from './random.ts';
import { fixedSchedule } from './schedule.ts';
import { runTrial } from './trial.ts';
import { SHARED_CORES_MS } from './watch.ts';

const environment = await startProxiedEnvironment({ gateways: 2 });
after(() => environment.stop());

const plan = fixedSchedule(
  NETWORK_FAULTS,
  [
    ['replies swallowed', 400],
    ['network resets', 400],
    ['replies swallowed', 1_500],
    ['network slow', 600],
    ['network silent', 2_700],
  ],
  200,
);

test('gateways keep their promises over a network that loses replies', async (context) => {
  const result = await runTrial({
    environment,
    plan,
    clients: 16,
    rooms: 2,
    actsPerSecond: 50,
    slackMs: SHARED_CORES_MS,
    random: createRandom(1),
    say: (line) => context.diagnostic(line),
  });
  const singly = result.injected.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
  assert.deepEqual([...result.violations, ...singly], []);
  assert.equal(result.injected.length, plan.length);
  assert((environment.proxies[0]?.swallowedBytes ?? 0) > 0, 'no reply was swallowed');
});
