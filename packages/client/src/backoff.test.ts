import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { backoffMs, CROWDED_BACKOFF, growingBackoffMs, RECONNECT_BACKOFF } from './backoff.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('stays between the minimum and the maximum after any number of attempts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), random, (attempt, chance) => {
      const delayMs = backoffMs({ attempt, random: chance, bounds: RECONNECT_BACKOFF });
      assert.ok(delayMs >= 50 && delayMs <= RECONNECT_BACKOFF.capMs);
    }),
  );
});

it('is never shorter than the delay that the server requested, and only slightly longer', () => {
  fc.assert(
    fc.property(fc.nat(20), random, fc.nat(60_000), (attempt, chance, atLeastMs) => {
      const delayMs = backoffMs({ attempt, random: chance, bounds: RECONNECT_BACKOFF, atLeastMs });
      assert.ok(delayMs >= atLeastMs);
      assert.ok(delayMs <= Math.max(50, atLeastMs + RECONNECT_BACKOFF.capMs / 10));
    }),
  );
});

it('spreads clients of a lost node over the whole range', () => {
  const delays = [0.1, 0.5, 0.9].map((chance) => backoffMs({ attempt: 3, random: chance, bounds: RECONNECT_BACKOFF }));
  assert.deepEqual(delays, [400, 2_000, 3_600]);
});

it('grows from 5 s to 5 minutes with a little jitter while the user has too many connections', () => {
  const delayOf = (attempt: number, chance: number) =>
    growingBackoffMs({ attempt, random: chance, bounds: CROWDED_BACKOFF, atLeastMs: 5_000 });
  assert.deepEqual(
    [0, 1, 2, 5, 6, 7, 1_000].map((attempt) => delayOf(attempt, 0)),
    [5_000, 10_000, 20_000, 160_000, 300_000, 300_000, 300_000],
  );
  assert.deepEqual([delayOf(0, 0.5), delayOf(7, 0.5)], [5_250, 315_000]);
  assert.equal(growingBackoffMs({ attempt: 0, random: 0, bounds: CROWDED_BACKOFF, atLeastMs: 60_000 }), 60_000);
});
