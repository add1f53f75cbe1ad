import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBenchOptions, UsageError } from './options.ts';
import { findVariant } from './variants/variants.ts';

const parse = (...args: string[]) => {
  const options = parseBenchOptions(args, '/here');
  assert(options !== 'help');
  return options;
};

test('measures every load with every variant three times by default', () => {
  const options = parse();
  assert.equal(options.rounds, 3);
  assert.deepEqual(
    options.variants.map(({ name }) => name),
    ['maru', 'stock-classic', 'stock-sharded', 'stock-stored', 'floor'],
  );
  assert(options.loads.length > 8);
  assert.equal(options.record, false);
});

test('--quick measures one round; paths are relative to the working directory', () => {
  const options = parse('--quick', '--loads', 'busy,quiet', '--out=results');
  assert.deepEqual([options.rounds, options.quick, options.outDir], [1, true, '/here/results']);
  assert.deepEqual(
    options.loads.map(({ name }) => name),
    ['busy', 'quiet'],
  );
});

for (const wrong of [
  ['--loads', 'bussy'],
  ['--variants', 'x'],
  ['--rounds', '0'],
  ['--out'],
  ['--fast'],
  ['--record=x'],
])
  test(`rejects ${wrong.join(' ')}`, () => {
    assert.throws(() => parseBenchOptions(wrong, '/here'), UsageError);
  });

test('a Maru variant can name another checkout and settings', () => {
  assert.equal(findVariant('maru@/else/where+MARU_A=1+MARU_B=x=y')?.name, 'maru@/else/where+MARU_A=1+MARU_B=x=y');
  assert.equal(findVariant('maruu'), undefined);
});
