import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, type RunResult, summarise } from './figures.ts';

const run = (variant: string, round: number, value: number, voidReasons: string[] = []): RunResult => ({
  load: 'busy',
  variant,
  round,
  figures: { gatewayUsPerDelivery: value },
  storeCalls: {},
  voidReasons,
  warnings: [],
});

test('the median is the middle value or the mean of the two middle values', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('figures are the medians of the runs that count', () => {
  const summaries = summarise([run('maru', 0, 5), run('maru', 1, 7), run('maru', 2, 1, ['1 deliveries missing'])]);
  assert.deepEqual(summaries, [
    { load: 'busy', variant: 'maru', runs: 3, voidRuns: 1, figures: { gatewayUsPerDelivery: 6 } },
  ]);
});

test('there is no figure if no run counts', () => {
  const [summary] = summarise([run('floor', 0, 5, ['1 deliveries duplicated'])]);
  assert.deepEqual(summary?.figures, {});
});
