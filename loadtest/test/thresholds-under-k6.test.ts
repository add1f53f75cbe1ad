/**
 * Each threshold of the smoke test is seen failing for its fault, under k6 itself. Where no k6 is at hand these are skipped: to build one
 * takes longer than all of them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Fault, startFakeChatServer } from './fake-chat-server.ts';

const CLI = fileURLToPath(new URL('../../tools/loadtest.mjs', import.meta.url));
const NO_K6_EXIT_CODE = 3;
const K6_DEADLINE_MS = 60_000;

/** Runs the smoke scenario with k6 against a fake with a fault; the names of the thresholds that failed, or null without k6. */
async function thresholdsCrossed(fault: Fault): Promise<string[] | null> {
  const server = await startFakeChatServer(fault);
  const args = [CLI, 'smoke', '--url', server.url, '--duration', '2s', '--settle', '2s', '--no-build', '--', '--quiet'];
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
  const names = /thresholds on metrics '([^']*)' have been crossed/.exec(output)?.[1]?.split(', ') ?? [];
  assert.equal(code, names.length === 0 ? 0 : 99, output);
  return names;
}

suite('each threshold of the smoke test fails for its fault, under k6', { concurrency: 4 }, () => {
  const expected: Array<[Fault, string[]]> = [
    ['none', []],
    ['lost', ['checks', 'messages_missing']],
    ['doubled', ['checks', 'messages_duplicated']],
    ['swapped', ['checks', 'messages_out_of_order']],
    ['altered', ['checks', 'messages_mismatched']],
    ['send_refused', ['ack_errors']],
    ['connect_refused', ['checks', 'connection_errors', 'members_audited', 'messages_delivered']],
  ];
  for (const [fault, names] of expected)
    test(fault, async (t) => {
      const crossed = await thresholdsCrossed(fault);
      if (crossed === null) t.skip('no k6 here: `npm run loadtest` builds one');
      else assert.deepEqual(crossed, names);
    });

  test('acknowledged_not_stored', async (t) => {
    const crossed = await thresholdsCrossed('acknowledged_not_stored');
    if (crossed === null) t.skip('no k6 here: `npm run loadtest` builds one');
    else assert.ok(crossed.includes('acknowledged_lost'), crossed.join());
  });
});
