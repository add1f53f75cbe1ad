/** Faults of the archive, briefly: members notice nothing, and at the end it has every entry. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startClusterEnvironment } from './environment.ts';
import { archiveFaults } from './fault-sets.ts';
import { parseFaultOptions } from './options.ts';
import { createRandom } from './random.ts';
import { fixedSchedule } from './schedule.ts';
import { runTrial, type TrialResult } from './trial.ts';
import { SHARED_CORES_MS } from './watch.ts';

const environment = await startClusterEnvironment({
  gateways: 2,
  archive: true,
  settings: { MARU_RETENTION_ENTRIES_MIN: '100', MARU_RETENTION_ENTRIES_MAX: '100' },
});
after(() => environment.stop());

const options = parseFaultOptions([], () => 0, '/');
assert(options !== 'help');
const faults = archiveFaults(options);
const plan = fixedSchedule(
  faults,
  [
    ['archiver killed', 0],
    ['archive killed', 0],
    ['store killed', 1_500],
    ['archive stopped', 2_000],
    ['gateway killed', 0],
    ['archiver late', 2_000],
    ['archive down', 2_000],
    ['archive read-only', 1_000],
  ],
  300,
);

const foundIn = ({ violations, injected }: TrialResult) => [
  ...violations,
  ...injected.flatMap((one) => one.violations.map((violation) => `${one.name}: ${violation}`)),
];

test('members are not affected by faults of the archive, and it has every entry at the end', async (context) => {
  const result = await runTrial({
    environment,
    plan,
    clients: 16,
    rooms: 3,
    actsPerSecond: 60,
    slackMs: SHARED_CORES_MS,
    random: createRandom(4),
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(foundIn(result), []);
  assert(result.stored > 600, `only ${result.stored} messages were stored, so the log kept all`);
});

test('the archive follows a log that was rolled back', async (context) => {
  const result = await runTrial({
    environment,
    plan: fixedSchedule(faults, [['log rolled back', 500]], 2_000),
    clients: 8,
    rooms: 3,
    actsPerSecond: 60,
    slackMs: SHARED_CORES_MS,
    random: createRandom(5),
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(foundIn(result), []);
});
