import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL, type Load, loadsAt, QUICK } from './loads.ts';
import { planRounds, slotsOf } from './schedule.ts';

for (const pace of [FULL, QUICK])
  test(`the slices of a variant cover one ping interval of ${pace.measureMs} ms, with any number of variants`, () => {
    const sliceMs = pace.measureMs / pace.slices;
    for (let variants = 1; variants <= 6; variants++) {
      const slots = slotsOf({ kind: 'steady' }, variants, pace);
      for (const [index, { atMs }] of slots.entries()) assert(atMs >= index * sliceMs, 'slices do not overlap');
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

test('variants take turns in steady and connect loads; idle and resume loads are measured once', () => {
  const turns = (kind: 'connect' | 'idle' | 'resume', variants: number) =>
    slotsOf({ kind }, variants, { ...FULL, slices: 2 }).map(({ turn }) => turn);
  assert.deepEqual(turns('connect', 3), [0, 1, 2, 0, 1, 2]);
  assert.deepEqual(turns('idle', 1), [0]);
  assert.deepEqual(turns('resume', 1), [0]);
});

test('each round begins with another variant; a Maru load has only Maru variants', () => {
  const load = (name: string) => loadsAt(FULL).find((each) => each.name === name) as Load;
  const variants = ['maru', 'floor', 'maru+MARU_A=1'].map((name) => ({ name }));
  const planned = planRounds([load('busy'), load('wide')], variants, 2);
  assert.deepEqual(
    planned.map((each) => [each.load.name, each.round, each.variants.map(({ name }) => name)]),
    [
      ['busy', 0, ['maru', 'floor', 'maru+MARU_A=1']],
      ['busy', 1, ['floor', 'maru+MARU_A=1', 'maru']],
      ['wide', 0, ['maru', 'maru+MARU_A=1']],
      ['wide', 1, ['maru+MARU_A=1', 'maru']],
    ],
  );
  assert.deepEqual(planRounds([load('wide')], [{ name: 'floor' }], 1), []);
});
