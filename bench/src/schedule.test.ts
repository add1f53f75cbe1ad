import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL, QUICK } from './loads.ts';
import { slotsOf } from './schedule.ts';

for (const pace of [FULL, QUICK])
  test(`the slices of a variant together are one heartbeat of ${pace.measureMs} ms, whatever else is measured`, () => {
    const sliceMs = pace.measureMs / pace.slices;
    for (let variants = 1; variants <= 6; variants++) {
      const slots = slotsOf({ kind: 'steady' }, variants, pace);
      for (const [index, { atMs }] of slots.entries())
        assert(atMs >= index * sliceMs, 'nobody begins while another one is measured');
      for (let turn = 0; turn < variants; turn++) {
        const own = slots.filter((slot) => slot.turn === turn);
        const phases = own.map(({ atMs }) => Math.round(atMs - (own[0]?.atMs ?? 0)) % pace.measureMs);
        assert.deepEqual(
          phases.toSorted((a, b) => a - b),
          Array.from({ length: pace.slices }, (_, part) => part * sliceMs),
        );
      }
    }
  });

test('variants take turns in storms too; memory and resumes are measured once', () => {
  const turns = (kind: 'connect' | 'idle' | 'resume', variants: number) =>
    slotsOf({ kind }, variants, { ...FULL, slices: 2 }).map(({ turn }) => turn);
  assert.deepEqual(turns('connect', 3), [0, 1, 2, 0, 1, 2]);
  assert.deepEqual(turns('idle', 1), [0]);
  assert.deepEqual(turns('resume', 1), [0]);
});
