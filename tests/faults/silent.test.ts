/** Each kind of connection to the store goes silent for ever, on each kind of store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxiedEnvironment } from './environment.ts';
import { STORE_KINDS } from './options.ts';
import { createRandom } from './random.ts';
import { fixedSchedule } from './schedule.ts';
import { silentFaults } from './silent-faults.ts';
import { runTrial } from './trial.ts';

for (const store of STORE_KINDS)
  test(`gateways reopen silent connections to the store (${store}) and keep their promises`, async (context) => {
    const environment = await startProxiedEnvironment({ gateways: 2, store });
    context.after(() => environment.stop());
    const faults = silentFaults(store);
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
      messagesPerSecond: 30,
      random: createRandom(1),
      say: (line) => context.diagnostic(line),
    });
    const singly = result.injected.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
    assert.deepEqual([...result.violations, ...singly], []);
    assert.equal(result.injected.length, plan.length);
  });
