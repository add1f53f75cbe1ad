import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordFileOf, renderRecord } from './record.ts';
import type { Report } from './report.ts';

const report: Report = {
  format: 1,
  measuredAt: '2026-11-23T10:00:00.000Z',
  machine: { cores: 2, cpu: 'a processor', memoryGiB: 24, system: 'a system' },
  versions: { Node: '24.21.0', Redis: '7.0.15' },
  settings: [],
  quick: false,
  rounds: 1,
  loads: [],
  variants: [],
  runs: [],
  summaries: [],
};

test('a record is named by the date and begins with date, command, machine and versions', () => {
  assert.equal(recordFileOf(report), 'docs/measurements/2026-11-23-bench.md');
  const lines = renderRecord(report, ['--loads', 'quiet,busy', '--out', 'a b', '--record']).split('\n');
  assert.deepEqual(lines.slice(0, 6), [
    '# Benchmark of 2026-11-23',
    '',
    "- Command: `npm run bench -- --loads quiet,busy --out 'a b' --record`",
    '- Machine: 2 × a processor, 24 GiB, a system',
    '- Versions: Node 24.21.0, Redis 7.0.15',
    '- Medians of 1 round',
  ]);
});
