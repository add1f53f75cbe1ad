import assert from 'node:assert/strict';
import { it } from 'node:test';
import { countDeaths, HEALTHY_AFTER_MS, restartPauseMs } from './restart-pause.ts';

it('the pause is one second at first and doubles up to 15 s', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 1_000].map(restartPauseMs), [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
});

it('the pause starts again at one second after a long run', () => {
  assert.equal(countDeaths(0, 10), 1);
  assert.equal(countDeaths(4, 10), 5);
  assert.equal(countDeaths(4, HEALTHY_AFTER_MS), 1);
});
