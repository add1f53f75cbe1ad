import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { repository } from '../support/cluster.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const cluster = await sharedCluster();

test('npm run loadtest -- smoke passes its thresholds through the public address', async (t) => {
  const { endpoint } = cluster;
  const outcome = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(
      'npm',
      ['run', '-s', 'loadtest', '--', 'smoke', '--url', endpoint],
      { cwd: repository, timeout: 150_000, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: stdout + stderr });
      },
    );
  });
  assert.equal(outcome.code, 0, outcome.output.slice(-6_000));
  for (const line of outcome.output.split('\n')) if (/[✓✗]/.test(line)) t.diagnostic(line.trim());
});
