import assert from 'node:assert/strict';
import { it } from 'node:test';
import { afterDay, beforeDay, dayOf, startOfDay } from './days.ts';

it("covers a day in the reader's time zone, from its first to its last millisecond", () => {
  const start = new Date(2026, 2, 29).getTime();
  const next = new Date(2026, 2, 30).getTime();
  assert.deepEqual([startOfDay('2026-03-29'), afterDay('2026-03-29')], [start, start - 1]);
  assert.equal(beforeDay('2026-03-29'), next);
  assert.equal(beforeDay('2026-12-31'), new Date(2027, 0, 1).getTime());
  assert.deepEqual([dayOf(start), dayOf(next - 1)], ['2026-03-29', '2026-03-29']);
});

it('ignores an empty or incomplete field', () => {
  for (const day of ['', '2026', '29.03.2026', '1900-01-01']) assert.equal(startOfDay(day), undefined, day);
});
