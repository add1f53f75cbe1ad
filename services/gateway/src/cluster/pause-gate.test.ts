import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '@maru/service-kit';
import { createPauseGate } from './pause-gate.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

function rig() {
  let nowMs = 0;
  let tick = () => {};
  const checks: Array<{ answer: () => void; fail: () => void }> = [];
  const gate = createPauseGate({
    check: () =>
      new Promise<void>((resolve, reject) => {
        checks.push({ answer: resolve, fail: () => reject(new Error('down')) });
      }),
    tickMs: 500,
    logger,
    now: () => nowMs,
  });
  gate.start({
    join: (_, run) => {
      tick = run;
      return () => {};
    },
  });
  const steps: string[] = [];
  gate.onOpened(() => steps.push('opened'));
  return {
    gate,
    checks,
    steps,
    pause: (ms: number) => {
      nowMs += ms;
    },
    tick: () => tick(),
  };
}

describe('the gate', () => {
  test('is open while ticks come in time', () => {
    const { gate, checks, pause, tick } = rig();
    for (let n = 0; n < 100; n++) {
      pause(1_900);
      assert.equal(gate.isOpen(), true);
      tick();
    }
    assert.equal(checks.length, 0);
  });

  test('closes after a pause, before any timer runs, until the check has succeeded', async () => {
    const { gate, checks, steps, pause, tick } = rig();
    pause(30_000);
    assert.equal(gate.isOpen(), false);
    for (const name of ['a', 'b']) gate.pass(() => steps.push(name));
    void gate.whenOpen().then(() => steps.push('c'));
    tick();
    await turn();
    assert.deepEqual([steps, checks.length, gate.isOpen()], [[], 1, false]);
    checks[0]?.answer();
    await turn();
    assert.deepEqual([steps, gate.isOpen()], [['opened', 'a', 'b', 'c'], true]);
    gate.pass(() => steps.push('d'));
    assert.equal(steps.at(-1), 'd');
  });

  test('is closed if a timer is the first to see the pause', () => {
    const { gate, pause, tick } = rig();
    pause(3_000);
    tick();
    assert.equal(gate.isOpen(), false);
  });

  test('checks again if the process was paused during the check', async () => {
    const { gate, checks, pause, tick } = rig();
    pause(3_000);
    gate.isOpen();
    pause(30_000);
    tick();
    checks[0]?.answer();
    await turn();
    assert.deepEqual([checks.length, gate.isOpen()], [2, false]);
    checks[1]?.answer();
    await turn();
    assert.equal(gate.isOpen(), true);
  });

  test('opens after a bounded time if the store is down', async () => {
    const { gate, checks, pause, tick } = rig();
    pause(3_000);
    for (let n = 0; !gate.isOpen(); n++) {
      assert(n < 20, 'it stays closed');
      checks.at(-1)?.fail();
      await new Promise((resolve) => setTimeout(resolve, 110));
      pause(1_000);
      tick();
    }
    assert(checks.length >= 4);
  });

  test('stays open after it was stopped', () => {
    const { gate, pause } = rig();
    gate.stop();
    pause(60_000);
    assert.equal(gate.isOpen(), true);
  });
});
