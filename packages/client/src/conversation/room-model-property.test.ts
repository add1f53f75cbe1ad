/**
 * Compares the model of a room with a server that is a list of entries. After any events in any
 * order, the model must equal a fresh read. It must never contain a text after its deletion
 * arrived.
 */
import { it } from 'node:test';
import fc from 'fast-check';
import { DOINGS, World } from './testing/model-world.ts';

const step = fc.tuple(fc.constantFrom(...DOINGS), fc.nat(1_000), fc.nat(100_000));

it('equals a fresh read after any order of reads, entries, resumes and restarts', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 250, size: 'max' }), (steps) => {
      const world = new World();
      for (let i = 0; i < 10; i++) world.do(['act', 0, i]);
      world.begin();
      for (const one of steps) world.do(one);
      world.heal();
      world.check();
    }),
    { numRuns: 150 },
  );
});

it('counts a reaction once if a page and an older answer bring it', () => {
  const world = new World();
  for (let i = 0; i < 10; i++) world.do(['act', 0, i]);
  world.begin();
  // The page has the reaction in its message, and as an entry after the head of the answer.
  world.do(['look', 65, 0]);
  for (const one of ['gap', 'jump'] as const) world.do([one, 0, 0]);
  world.do(['ask', 0, 196]);
  for (const [a, b] of [
    [0, 0],
    [554, 0],
  ] as const)
    world.do(['act', a, b]);
  world.do(['history', 0, 0]);
  world.do(['act', 0, 0]);
  world.heal();
  world.check();
});
