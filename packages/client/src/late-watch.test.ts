import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LateWatch } from './late-watch.ts';
import { createFakeScheduler } from './testing/fake-scheduler.ts';

function start() {
  const clock = createFakeScheduler();
  const seen: boolean[] = [];
  const late: LateWatch = new LateWatch({
    scheduler: clock.scheduler,
    lateAfterMs: 3_000,
    onChange: () => void seen.push(late.isLate),
  });
  return { clock, late, seen };
}

it('is late while the oldest message has waited too long', () => {
  const { clock, late, seen } = start();
  late.note(clock.scheduler.now());
  clock.pass(2_999);
  assert.deepEqual(seen, []);
  clock.pass(1);
  assert.deepEqual(seen, [true]);
  late.note(2_000);
  assert.deepEqual(seen, [true, false]);
  late.note(null);
  clock.pass(60_000);
  assert.deepEqual(seen, [true, false]);
  assert.equal(clock.timers(), 0);
});

it('is late at once for a message that has already waited too long', () => {
  const { clock, late } = start();
  clock.pass(10_000);
  late.note(1_000);
  assert.equal(late.isLate, true);
});
