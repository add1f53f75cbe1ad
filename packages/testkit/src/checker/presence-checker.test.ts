import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPresence } from './presence-checker.ts';

test('reports violations of I6: ghosts, absent users, duplicates and wrong counts', () => {
  const connected = new Set(['a', 'b']);
  assert.deepEqual(checkPresence(connected, { count: 2, users: [{ id: 'b' }, { id: 'a' }] }), []);
  assert.deepEqual(checkPresence(connected, { count: 2 }), []);
  assert.match(checkPresence(connected, { count: 3 }).join(), /I6: presence counts 3/);
  assert.match(
    checkPresence(connected, { count: 2, users: [{ id: 'a' }, { id: 'x' }] }).join(),
    /I6: ghosts: x.*I6: not shown: b/,
  );
  assert.match(
    checkPresence(connected, { count: 2, users: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] }).join(),
    /I6: a user is shown twice/,
  );
});
