import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL, QUICK } from './loads.ts';
import { cycleMsOf } from './turns.ts';

for (const pace of [FULL, QUICK])
  test(`the slices of a variant together are one heartbeat of ${pace.measureMs} ms, whatever else is measured`, () => {
    const sliceMs = pace.measureMs / pace.slices;
    for (let variants = 1; variants <= 6; variants++) {
      const cycleMs = cycleMsOf(variants, pace);
      assert(cycleMs > variants * sliceMs, 'everybody gets a turn');
      const phases = Array.from({ length: pace.slices }, (_, slice) => (slice * cycleMs) % pace.measureMs);
      assert.deepEqual(
        phases.toSorted((a, b) => a - b),
        Array.from({ length: pace.slices }, (_, part) => part * sliceMs),
      );
    }
  });
