import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLogger, type Logger } from '@maru/service-kit';
import { createTicker } from './ticker.ts';

const silent = createLogger({ service: 'test', node: 'n', level: 'silent' });

/** A tick of half a second, and a clock that can be ahead of the timers, as after a pause. */
function start(t: TestContext, logger: Logger = silent) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const times: number[] = [];
  const beat = createTicker({ periodMs: 500, logger, now });
  const tick = (ms: number) => {
    for (let i = 0; i < ms; i++) t.mock.timers.tick(1);
  };
  return { beat, clock, times, note: () => times.push(now()), tick };
}

test('work that is due together runs in one turn, in the order of joining', (t) => {
  const { beat, tick } = start(t);
  const done: string[] = [];
  beat.join(500, () => done.push('a'));
  // Half a tick later: it joins the existing rhythm.
  tick(250);
  beat.join(1_000, () => done.push('second'));
  beat.join(500, () => done.push('b'));
  tick(249);
  assert.deepEqual(done, []);
  tick(1);
  assert.deepEqual(done, ['a', 'b']);
  tick(500);
  assert.deepEqual(done, ['a', 'b', 'a', 'second', 'b']);
  tick(1_000);
  assert.equal(done.filter((name) => name === 'second').length, 2);
});

test('a late tick does not delay the next ones', (t) => {
  const { beat, clock, times, note, tick } = start(t);
  beat.join(500, note);
  tick(499);
  // The loop was busy for 100 ms.
  clock.aheadMs = 100;
  tick(1);
  tick(400);
  tick(500);
  assert.deepEqual(times, [600, 1_000, 1_500]);
});

test('after a pause one tick replaces the missed ones, and the next is not close', (t) => {
  const { beat, clock, times, note, tick } = start(t);
  beat.join(500, note);
  clock.aheadMs = 10_490;
  tick(500);
  tick(249);
  assert.deepEqual(times, [10_990]);
  tick(1);
  tick(500);
  assert.deepEqual(times, [10_990, 11_240, 11_740]);
});

test('a timer that fires early does not cause a second tick', (t) => {
  const { beat, clock, times, note, tick } = start(t);
  beat.join(500, note);
  clock.aheadMs = -0.5;
  tick(500);
  tick(10);
  assert.deepEqual(times, [499.5]);
});

test('failing work is reported, and the other work runs', (t) => {
  const reported: unknown[] = [];
  const logger = { ...silent, error: ({ err }: { err: unknown }) => reported.push(err) } as unknown as Logger;
  const { beat, times, note, tick } = start(t, logger);
  const failure = new Error('broken');
  beat.join(500, () => {
    throw failure;
  });
  beat.join(500, note);
  tick(1_000);
  assert.deepEqual(times, [500, 1_000]);
  assert.deepEqual(reported, [failure, failure]);
});

test('work that left is not called again, not even in the same tick, and joining works after all have left', (t) => {
  const { beat, times, note, tick } = start(t);
  const leaves: Array<() => void> = [];
  beat.join(500, () => {
    for (const leave of leaves) leave();
    note();
  });
  const others = [beat.join(500, note), beat.join(1_000, note)];
  leaves.push(...others);
  tick(1_000);
  assert.deepEqual(times, [500, 1_000]);

  t.mock.timers.reset();
  const second = start(t);
  const leaveAll = [second.beat.join(500, second.note), second.beat.join(500, () => leaveAll[0]?.())];
  second.tick(500);
  leaveAll[1]?.();
  leaveAll[1]?.();
  second.tick(5_000);
  assert.deepEqual(second.times, [500]);
  second.beat.join(500, second.note);
  second.tick(500);
  assert.deepEqual(second.times, [500, 6_000]);
});

test('a period that is not a multiple of the tick is refused', (t) => {
  const { beat } = start(t);
  assert.throws(() => beat.join(700, () => {}), RangeError);
});
