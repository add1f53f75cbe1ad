import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunResult } from '../figures.ts';
import { combineReports, type Report } from './report.ts';

const runOf = (load: string, variant: string, value: number): RunResult => ({
  load,
  variant,
  round: 0,
  figures: { gatewayUsPerDelivery: value },
  storeCalls: {},
  voidReasons: [],
  warnings: [],
});

function reportOf(loads: string[], variants: string[], changes: Partial<Report> = {}): Report {
  return {
    format: 1,
    measuredAt: '2026-11-23T00:00:00.000Z',
    machine: { cores: 2, cpu: 'a processor', memoryGiB: 24, system: 'a system' },
    versions: { Node: '24.21.0' },
    settings: ['a disk', 'warm-up 12 s'],
    quick: false,
    rounds: 1,
    loads: loads.map((name) => ({ name, title: name, clients: 1, rooms: 1, nodes: 1, nodesWithMembers: 1 })),
    variants: variants.map((name) => ({ name, title: name, stores: true })),
    runs: loads.flatMap((load) => variants.map((variant) => runOf(load, variant, 1))),
    summaries: [],
    ...changes,
  };
}

test('combines reports: each load and variant once, with summaries of all runs', () => {
  const first = reportOf(['quiet', 'busy'], ['maru', 'floor']);
  const second = reportOf(['wide'], ['maru'], {
    versions: { Node: '24.21.0', nginx: '1.22.1' },
    settings: ['another disk', 'warm-up 12 s'],
  });
  const all = combineReports([first, second]);
  assert.deepEqual(
    all?.loads.map(({ name }) => name),
    ['quiet', 'busy', 'wide'],
  );
  assert.deepEqual(
    all?.variants.map(({ name }) => name),
    ['maru', 'floor'],
  );
  assert.deepEqual(all?.versions, { Node: '24.21.0', nginx: '1.22.1' });
  assert.equal(all?.runs.length, 5);
  assert.equal(all?.summaries.length, 5);
});

const others: Record<string, Report> = {
  'from another machine': reportOf(['wide'], ['maru'], {
    machine: { cores: 4, cpu: 'a processor', memoryGiB: 24, system: 'a system' },
  }),
  'from another Node.js version': reportOf(['wide'], ['maru'], { versions: { Node: '26.0.0' } }),
  'with another pace': reportOf(['wide'], ['maru'], { settings: ['a disk', 'warm-up 5 s'] }),
  'of a --quick run': reportOf(['wide'], ['maru'], { quick: true }),
  'that contains the same run': reportOf(['busy'], ['maru']),
};
for (const [what, other] of Object.entries(others))
  test(`does not combine a report ${what}`, () => {
    assert.equal(combineReports([reportOf(['quiet', 'busy'], ['maru']), other]), undefined);
  });
