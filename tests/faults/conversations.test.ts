/** A short form of `npm run test:faults -- --acts 100000`. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runConversations } from './conversations.ts';
import { startClusterEnvironment } from './environment.ts';
import { killsOf } from './fault-sets.ts';
import { createRandom } from './random.ts';
import { SHARED_CORES_MS } from './watch.ts';

const ACTS = 1_500;

const environment = await startClusterEnvironment({ gateways: 4 });
after(() => environment.stop());

test('counts are exact for every user after random acts and kills of gateways', async (context) => {
  const result = await runConversations({
    environment,
    faults: killsOf(false),
    acts: ACTS,
    clients: 20,
    rooms: 6,
    actsPerSecond: 80,
    slackMs: SHARED_CORES_MS,
    random: createRandom(3),
    seed: 3,
    say: (line) => context.diagnostic(line),
  });
  const found = result.injected.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
  assert.deepEqual([...result.violations, ...found], []);
  assert(result.injected.length > 0, 'a gateway was killed');
  const { acts } = result;
  for (const kind of ['send', 'reply', 'mention', 'edit', 'delete', 'react', 'pin', 'read', 'page', 'rejoin'] as const)
    assert((acts[kind] ?? 0) > 0, `no ${kind} in ${JSON.stringify(acts)}`);
});
