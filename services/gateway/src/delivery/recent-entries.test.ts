import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecentBudget, RecentEntries, type RecentEntry } from './recent-entries.ts';

const entries = (from: number, to: number, size = 10): RecentEntry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    seq: from + i,
    epoch: '1.a',
    packet: 'x'.repeat(size),
    n: from + i,
    act: undefined,
  }));
const seqs = (found: RecentEntry[] | undefined) => found?.map(({ seq }) => seq);

function filled(budget = createRecentBudget(1e6), to = 40) {
  const recent = new RecentEntries(budget);
  for (const entry of entries(1, to)) recent.push(entry);
  return recent;
}

test('keeps the newest few entries and finds those after a position', () => {
  const recent = filled();
  assert.deepEqual(seqs(recent.after(37)), [38, 39, 40]);
  assert.deepEqual(seqs(recent.after(40)), []);
  assert.equal(recent.after(8)?.length, 32);
  assert.equal(recent.after(7), undefined);
  assert.equal(recent.after(41), undefined);
});

test('keeps the entries of a resume for others, for a while', () => {
  const recent = filled();
  recent.prepend(entries(1, 12), 0);
  assert.equal(recent.after(0)?.length, 40);
  recent.push(...(entries(41, 41) as [RecentEntry]));
  assert.equal(recent.after(0)?.length, 41);
  recent.relax(59_999);
  assert.equal(recent.after(0)?.length, 41);
  recent.relax(60_000);
  assert.equal(recent.after(0), undefined);
  assert.equal(recent.after(9)?.length, 32);
});

test('ignores entries that are not contiguous or do not fit', () => {
  const recent = filled();
  recent.prepend(entries(1, 7), 0);
  assert.equal(recent.after(0), undefined);
  recent.prepend(entries(1, 8, 1e6), 0);
  assert.equal(recent.after(0), undefined);
});

test('keeps only a few entries beyond the budget of the node', () => {
  const recent = filled(createRecentBudget(100));
  recent.prepend(entries(1, 8), 0);
  assert.equal(recent.after(0), undefined);
});

test('starts again after a gap', () => {
  const recent = filled();
  recent.push(...(entries(50, 50) as [RecentEntry]));
  assert.equal(recent.after(39), undefined);
  assert.deepEqual(seqs(recent.after(49)), [50]);
});
