import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('percentiles are those of the sorted values, to within a bucket of 1.6 per cent', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 300 }), (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      for (const share of [0.5, 0.99, 0.999, 1]) {
        const exact = sorted[Math.ceil(sorted.length * share) - 1] as number;
        const told = histogram.percentile(share);
        assert(Math.abs(told - exact) <= exact * 0.016 + 1, `${told} for ${exact}`);
      }
    }),
  );
});

test('nothing recorded is 0', () => {
  const histogram = new Histogram();
  assert.deepEqual(histogram.percentiles(), { count: 0, p50: 0, p99: 0, p999: 0, max: 0 });
});
