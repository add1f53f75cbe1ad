import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fullBucket, promiseWait, takeToken } from './token-bucket.ts';

test('a burst is available at once, then one token for each interval', () => {
  const spec = { perSecond: 10, burst: 3 };
  const bucket = fullBucket(spec, 0);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => takeToken(bucket, spec, 0)),
    [0, 0, 0, 100],
  );
  assert.ok(takeToken(bucket, spec, 99) > 0);
  assert.equal(takeToken(bucket, spec, 100), 0);
});

test('burst and rate are never exceeded, and a request that waits for the returned time is served', () => {
  const spec = { perSecond: 7, burst: 5 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), (steps) => {
      const bucket = fullBucket(spec, 0);
      let [now, taken] = [0, 0];
      for (const step of steps) {
        now += step;
        const waitMs = takeToken(bucket, spec, now);
        if (waitMs === 0) taken++;
        else {
          now += waitMs;
          assert.equal(takeToken(bucket, spec, now), 0);
          taken++;
        }
      }
      assert.ok(taken <= spec.burst + (spec.perSecond * now) / 1_000 + 1);
    }),
  );
});

test('many requests that are refused together are all served after one wait each', () => {
  const spec = { perSecond: 50, burst: 200 };
  const bucket = fullBucket(spec, 0);
  const waits = Array.from({ length: 500 }, () => takeToken(bucket, spec, 0)).filter((waitMs) => waitMs > 0);
  assert.equal(waits.length, 300);
  const served = waits.filter((waitMs) => takeToken(bucket, spec, waitMs) === 0);
  assert.equal(served.length, 300);
});

test('no wait is longer than the maximum, at any time of the clock', () => {
  const spec = { perSecond: 1, burst: 1 };
  for (let n = 0; n < 1_000; n++) {
    const nowMs = n * 7.123_456_7;
    const wait = promiseWait({ promisedMs: 0 }, 1e9, spec, nowMs);
    assert.equal(wait, 60_000, `at ${nowMs}`);
  }
});
