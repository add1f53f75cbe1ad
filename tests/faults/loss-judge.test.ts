import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeBack, judgeLosses } from './loss-judge.ts';

test('is seen: a client loses its connection more often than a fault may cost', () => {
  const losses = [
    { user: 'a', before: 7, after: 7 },
    { user: 'b', before: 0, after: 1 },
    { user: 'c', before: 2, after: 5 },
  ];
  assert.match(judgeLosses(losses, 0).join(), /2 clients lost their connection more than 0 times: b/);
  assert.match(judgeLosses(losses, 2).join(), /1 clients lost their connection more than 2 times: c/);
  assert.deepEqual(judgeLosses(losses, 3), []);
  assert.deepEqual(judgeLosses([], 0), []);
});

test('is seen: a client is back later than its own pauses and the bound', () => {
  assert.deepEqual(judgeBack(5_000, 5_000), []);
  assert.match(judgeBack(5_001, 5_000).join(), /I5: a client was back 5001 ms after its own pauses/);
});
