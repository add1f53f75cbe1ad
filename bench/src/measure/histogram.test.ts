import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('percentiles match the sorted values within a bucket width of 1.6 %', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 300 }), (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      for (const share of [0.5, 0.99, 0.999, 1]) {
        const exact = sorted[Math.ceil(sorted.length * share) - 1] as number;
        const estimate = histogram.percentile(share);
        assert(Math.abs(estimate - exact) <= exact * 0.016 + 1, `${estimate} instead of ${exact}`);
      }
    }),
  );
});

test('percentiles of an empty histogram are 0', () => {
  const histogram = new Histogram();
  assert.deepEqual(histogram.percentiles(), { count: 0, p50: 0, p99: 0, p999: 0, max: 0 });
});
