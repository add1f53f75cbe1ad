import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from './fault.ts';
import { createRandom } from './random.ts';
import { fitting, fixedSchedule, randomSchedule } from './schedule.ts';

const fault = (name: string, weight: number): Fault<null> => ({
  name,
  about: name,
  store: 'fine',
  holdMs: [1_000, 9_000],
  wholeWithinMs: 1_000,
  weight,
  inject: async () => {},
});
const faults = [fault('often', 9), fault('rare', 1)];

function take(seed: number, count: number, maxHoldMs?: number) {
  let taken = 0;
  const isOver = () => taken++ >= count;
  const options = { faults, random: createRandom(seed), isOver, ...(maxHoldMs === undefined ? {} : { maxHoldMs }) };
  return [...randomSchedule(options)].map(({ fault, holdMs, calmMs }) => ({ name: fault.name, holdMs, calmMs }));
}

test('a seed repeats its schedule, and another seed gives another', () => {
  assert.deepEqual(take(7, 50), take(7, 50));
  assert.notDeepEqual(take(7, 50), take(8, 50));
});

test('each fault occurs once before any occurs again', () => {
  for (let seed = 0; seed < 20; seed++) assert.deepEqual(new Set(take(seed, 2).map(({ name }) => name)).size, 2);
});

test('faults occur by their weight, within their range of durations', () => {
  const steps = take(3, 1_000);
  const often = steps.filter(({ name }) => name === 'often').length;
  assert(often > 850 && often < 950, `${often}`);
  assert(steps.every(({ holdMs, calmMs }) => holdMs >= 1_000 && holdMs <= 9_000 && calmMs >= 1_000));
  assert(take(3, 100, 2_000).every(({ holdMs }) => holdMs <= 2_000));
});

test('a long fault occurs only in a long run or by name', () => {
  const long = { ...fault('long', 1), long: true, holdMs: [90_000, 90_000] as const };
  const names = (lengthMs: number, named: string) =>
    fitting([...faults, long], { lengthMs, isNamed: (name) => name === named }).map(({ name }) => name);
  assert.deepEqual(names(300_000, ''), ['often', 'rare']);
  assert.deepEqual(names(300_000, 'long'), ['often', 'rare', 'long']);
  assert.deepEqual(names(900_000, ''), ['often', 'rare', 'long']);
});

test('a fixed schedule rejects unknown faults', () => {
  assert.deepEqual(fixedSchedule(faults, [['rare', 5]], 1), [{ fault: faults[1], holdMs: 5, calmMs: 1 }]);
  assert.throws(() => fixedSchedule(faults, [['none', 5]], 1), /no fault "none"/);
});

test('random numbers are even and within their range', () => {
  const random = createRandom(1);
  const numbers = Array.from({ length: 10_000 }, () => random.between(1, 10));
  assert.deepEqual([Math.min(...numbers), Math.max(...numbers)], [1, 10]);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  assert(Math.abs(mean - 5.5) < 0.1, `${mean}`);
  assert.throws(() => random.pick([]), /nothing/);
});
