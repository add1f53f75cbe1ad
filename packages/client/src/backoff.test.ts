import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { backoffMs, RECONNECT_BACKOFF } from './backoff.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('stays between the minimum and the maximum after any number of tries', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), random, (attempt, chance) => {
      const delayMs = backoffMs({ attempt, random: chance, bounds: RECONNECT_BACKOFF });
      assert.ok(delayMs >= 50 && delayMs <= RECONNECT_BACKOFF.capMs);
    }),
  );
});

it('is never shorter than the delay that the server named, and only a little longer', () => {
  fc.assert(
    fc.property(fc.nat(20), random, fc.nat(60_000), (attempt, chance, atLeastMs) => {
      const delayMs = backoffMs({ attempt, random: chance, bounds: RECONNECT_BACKOFF, atLeastMs });
      assert.ok(delayMs >= atLeastMs);
      assert.ok(delayMs <= Math.max(50, atLeastMs + RECONNECT_BACKOFF.capMs / 10));
    }),
  );
});

it('spreads clients that lost the same node over the whole range', () => {
  const delays = [0.1, 0.5, 0.9].map((chance) => backoffMs({ attempt: 3, random: chance, bounds: RECONNECT_BACKOFF }));
  assert.deepEqual(delays, [400, 2_000, 3_600]);
});
