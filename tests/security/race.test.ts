/** A short race. The long one is `npm run test:security`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRace } from './race.ts';

test('nothing of a banned, kicked, muted or revoked user is stored or delivered above the act', async (context) => {
  const { violations, figures } = await runRace({
    rounds: 7,
    seed: 1,
    senders: 24,
    say: (line) => context.diagnostic(line),
  });
  context.diagnostic(figures.map(([label, value]) => `${label}: ${value}`).join('; '));
  assert.deepEqual(violations, []);
});
