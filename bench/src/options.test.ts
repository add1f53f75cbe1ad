import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Misuse, parseBenchOptions } from './options.ts';
import { findVariant } from './variants/variants.ts';

const parse = (...args: string[]) => {
  const options = parseBenchOptions(args, '/here');
  assert(options !== 'help');
  return options;
};

test('without options everything is measured three times', () => {
  const options = parse();
  assert.equal(options.rounds, 3);
  assert.deepEqual(
    options.variants.map(({ name }) => name),
    ['maru', 'stock-classic', 'stock-sharded', 'stock-stored', 'floor'],
  );
  assert(options.loads.length > 8);
});

test('--quick is short, and paths are where the command runs', () => {
  const options = parse('--quick', '--loads', 'busy,quiet', '--out=results');
  assert.deepEqual([options.rounds, options.quick, options.outDir], [1, true, '/here/results']);
  assert.deepEqual(
    options.loads.map(({ name }) => name),
    ['busy', 'quiet'],
  );
});

for (const wrong of [['--loads', 'bussy'], ['--variants', 'x'], ['--rounds', '0'], ['--out'], ['--fast']])
  test(`${wrong.join(' ')} is refused`, () => {
    assert.throws(() => parseBenchOptions(wrong, '/here'), Misuse);
  });

test('a variant of ours may be of another checkout and have settings', () => {
  assert.equal(findVariant('maru@/else/where+MARU_A=1+MARU_B=x=y')?.name, 'maru@/else/where+MARU_A=1+MARU_B=x=y');
  assert.equal(findVariant('maruu'), undefined);
});
