import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Misuse, PROGRAMS, parseOptions } from './options.ts';

const parse = (...args: string[]) => parseOptions(args, () => 7, '/somewhere');

test('has defaults for everything', () => {
  assert.deepEqual(parse(), {
    only: PROGRAMS,
    rounds: 200,
    minutes: 10,
    guests: [1, 100],
    users: 2_000,
    seed: 7,
    outFile: undefined,
  });
  assert.equal(parse('--help'), 'help');
});

test('takes values after a space or an equals sign', () => {
  const options = parse('--only', 'race, office', '--rounds=5', '--guests', '3', '--minutes', '0.5', '--out', 'a.md');
  assert(options !== 'help');
  assert.deepEqual(
    [options.only, options.rounds, options.guests, options.minutes, options.outFile],
    [['race', 'office'], 5, [3], 0.5, '/somewhere/a.md'],
  );
});

for (const args of [
  ['--only', 'all'],
  ['--rounds', '1.5'],
  ['--minutes', '0'],
  ['--guests', '0'],
  ['--seed'],
  ['-x', '1'],
])
  test(`refuses ${args.join(' ')}`, () => assert.throws(() => parse(...args), Misuse));
