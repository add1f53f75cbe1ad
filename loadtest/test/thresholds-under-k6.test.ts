/**
 * Each threshold fails for its fault, under k6 itself. The tests are skipped without k6: a build
 * takes longer than all of them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { PlantedFault } from '@maru/testkit/server/planted-faults';

const CLI = fileURLToPath(new URL('../../tools/loadtest.mjs', import.meta.url));
const NO_K6_EXIT_CODE = 3;
const K6_DEADLINE_MS = 60_000;

const SMOKE = ['smoke', '--duration', '2s', '--settle', '2s'];
/** More acts than by default, so that each kind is among them. */
const ACTS = [...SMOKE, '--rate', '120', '--acts', '0.6'];
/** Six of eight clients lose their connections once, for at most a second. */
const STORM = [
  ...['reconnect-storm', '--duration', '4s', '--settle', '2s'],
  ...['--clients', '8', '--rooms', '2', '--rate', '120', '--storms', '1'],
];

interface Outcome {
  /** The thresholds that failed. */
  crossed: string[];
  remoteWrites: number;
}

/** Runs a scenario with k6 against a fake server. @returns null without k6 */
async function runAgainst(fault: PlantedFault, scenario: readonly string[]): Promise<Outcome | null> {
  const server = await startFakeServer(fault);
  const figures = ['--prometheus', `${server.url}/api/v1/write`];
  const args = [CLI, ...scenario, '--url', server.url, ...figures, '--no-build', '--', '--quiet'];
  let output = '';
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: K6_DEADLINE_MS });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    child.once('error', reject).once('close', resolve);
  });
  await server.close();
  if (code === NO_K6_EXIT_CODE) return null;
  const crossed = /thresholds on metrics '([^']*)' have been crossed/.exec(output)?.[1]?.split(', ') ?? [];
  assert.equal(code, crossed.length === 0 ? 0 : 99, output);
  return { crossed, remoteWrites: server.remoteWrites };
}

suite('each threshold fails for its fault, under k6', { concurrency: 2 }, () => {
  const expected: Array<[PlantedFault, readonly string[], string[]]> = [
    ['none', STORM, []],
    ['resume_hole', STORM, ['checks', 'messages_missing']],
    ['resume_doubled', STORM, ['checks', 'messages_duplicated']],
    ['resume_swapped', STORM, ['checks', 'messages_out_of_order']],
    ['none', SMOKE, []],
    ['lost', SMOKE, ['checks', 'messages_missing']],
    ['doubled', SMOKE, ['checks', 'messages_duplicated']],
    ['swapped', SMOKE, ['checks', 'messages_out_of_order']],
    ['altered', SMOKE, ['checks', 'messages_mismatched', 'views_differing']],
    ['none', ACTS, []],
    // The history is a read, too.
    ['edit_unread', ACTS, ['checks', 'messages_mismatched', 'views_differing']],
    ['deleted_text_read', ACTS, ['checks', 'views_differing']],
    ['reaction_miscounted', ACTS, ['checks', 'views_differing']],
    ['reply_miscounted', ACTS, ['checks', 'views_differing']],
    ['unread_miscounted', ACTS, ['checks', 'counts_wrong']],
    ['mention_miscounted', ACTS, ['checks', 'counts_wrong']],
    ['read_position_lost', ACTS, ['checks', 'counts_wrong']],
    ['act_refused', ACTS, ['acts_refused', 'checks']],
    ['send_refused', SMOKE, ['ack_errors']],
    [
      'connect_refused',
      SMOKE,
      ['acts_acknowledged', 'checks', 'connection_errors', 'members_audited', 'messages_delivered'],
    ],
  ];
  for (const [fault, scenario, names] of expected)
    test(`${scenario[0]}: ${fault}`, async (t) => {
      const outcome = await runAgainst(fault, scenario);
      if (outcome === null) return t.skip('no k6: `npm run loadtest` builds it');
      assert.deepEqual(outcome.crossed, names);
      assert.ok(outcome.remoteWrites > 0, 'k6 sent figures by remote write');
    });

  test('an archive contains the scenario, its imports and the settings', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'maru-archive-'));
    try {
      const archive = join(folder, 'loadtest.tar');
      const args = [CLI, ...STORM, '--url', 'http://edge:8080', '--archive', archive, '--no-build'];
      const code = await new Promise((resolve) => {
        spawn(process.execPath, args, { stdio: 'ignore', timeout: K6_DEADLINE_MS }).once('close', resolve);
      });
      if (code === NO_K6_EXIT_CODE) return t.skip('no k6: `npm run loadtest` builds it');
      assert.equal(code, 0);
      const text = await readFile(archive, 'utf8');
      for (const part of ['"MARU_LOADTEST_URL": "http://edge:8080"', '"count==8"', 'member-log.ts', 'scenarios.json'])
        assert.ok(text.includes(part), part);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('smoke: acknowledged_not_stored', async (t) => {
    const outcome = await runAgainst('acknowledged_not_stored', SMOKE);
    if (outcome === null) return t.skip('no k6: `npm run loadtest` builds it');
    assert.ok(outcome.crossed.includes('acknowledged_lost'), outcome.crossed.join());
  });
});
