import assert from 'node:assert/strict';
import { it } from 'node:test';
import { watchPings } from './ping-watch.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';

function start() {
  const clock = createFakeScheduler();
  const missed: number[] = [];
  const watch = watchPings({
    scheduler: clock.scheduler,
    withinMs: 45_000,
    onMissed: (times) => void missed.push(times),
  });
  return { clock, missed, watch };
}

it('says nothing while packets arrive, with one timer for all of them', () => {
  const { clock, missed, watch } = start();
  for (let i = 0; i < 1_000; i++) {
    clock.pass(500);
    watch.heard();
    assert.equal(clock.timers(), 1);
  }
  clock.pass(44_999);
  assert.deepEqual(missed, []);
  watch.stop();
  assert.equal(clock.timers(), 0);
});

it('counts the times without a packet, until one arrives', () => {
  const { clock, missed, watch } = start();
  clock.pass(20_000);
  watch.heard();
  clock.pass(44_999);
  assert.deepEqual(missed, []);
  clock.pass(1);
  assert.deepEqual(missed, [1]);
  clock.pass(45_000);
  assert.deepEqual(missed, [1, 2]);
  watch.heard();
  clock.pass(45_000);
  assert.deepEqual(missed, [1, 2, 1]);
});

it('is over when the connection ends because of it', () => {
  const clock = createFakeScheduler();
  const watch = watchPings({ scheduler: clock.scheduler, withinMs: 10, onMissed: () => watch.stop() });
  clock.pass(100);
  assert.equal(clock.timers(), 0);
});
