import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSteps, gatewayToDrain } from './loadtest-steps.mjs';

const gateway = (/** @type {string} */ name, state = 'up') => ({ name, kind: 'gateway', state });

test('the first drain takes the oldest running gateway, and the next one the newest', () => {
  const processes = [
    { name: 'redis', kind: 'redis', state: 'up' },
    gateway('gateway-1', 'stopped'),
    gateway('gateway-2'),
    gateway('gateway-3'),
  ];
  assert.equal(gatewayToDrain({ processes }, 0), 'gateway-2');
  assert.equal(gatewayToDrain({ processes }, 1), 'gateway-3');
  assert.equal(gatewayToDrain({ processes: [] }, 0), undefined);
});

test('the commands of the steps run one after the other, and a failure is reported at the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'maru-steps-'));
  try {
    const log = join(folder, 'log');
    const onStep = `sleep 0.1; echo "$MARU_STEP" >> '${log}'; test "$MARU_STEP" = add`;
    const steps = createSteps({ mayStep: false, dataDir: folder, onStep, say: () => {} });
    for (const line of [
      'time="…" level=info msg="maru-step add: one more gateway, now" source=console',
      'level=info msg="something else"',
      'level=info msg="maru-step drain: take one gateway away, now"',
      'level=info msg="maru-step add: one more gateway, now"',
    ])
      steps.onLine(line);
    assert.match((await steps.done()) ?? '', /--on-step ended with 1/);
    assert.equal(readFileSync(log, 'utf8'), 'add\ndrain\nadd\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without a cluster of ours, only the line is printed', async () => {
  const steps = createSteps({ mayStep: false, dataDir: '/nowhere', onStep: null, say: () => {} });
  steps.onLine('maru-step add: one more gateway, now');
  assert.equal(await steps.done(), undefined);
});

test('a step fails if the cluster does not answer', async () => {
  const steps = createSteps({ mayStep: true, dataDir: '/nowhere', onStep: null, say: () => {} });
  steps.onLine('maru-step add: one more gateway, now');
  assert.match((await steps.done()) ?? '', /add gateway/);
});
