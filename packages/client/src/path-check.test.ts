import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkPath } from './path-check.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';

async function run(wasDead: boolean, answers: boolean[]) {
  const clock = createFakeScheduler();
  const backAtMs: number[] = [];
  let asked = 0;
  const stop = checkPath({
    scheduler: clock.scheduler,
    reach: async () => answers[asked++] ?? true,
    everyMs: 4_000,
    wasDead,
    onBack: () => void backAtMs.push(clock.scheduler.now()),
  });
  for (let i = 0; i < answers.length * 2; i++) {
    clock.pass(2_000);
    await Promise.resolve();
    await Promise.resolve();
  }
  stop();
  return { backAtMs, asked, timers: clock.timers() };
}

it('reports once when a dead path works again', async () => {
  assert.deepEqual(await run(false, [true, false, false, true, true]), { backAtMs: [14_000], asked: 5, timers: 0 });
});

it('reports that a path works if it was dead before', async () => {
  assert.deepEqual((await run(true, [true, true])).backAtMs, [2_000]);
});

it('does not report a path that is only slow, or still dead', async () => {
  assert.deepEqual((await run(false, [true, true])).backAtMs, []);
  assert.deepEqual((await run(true, [false, false])).backAtMs, []);
});
