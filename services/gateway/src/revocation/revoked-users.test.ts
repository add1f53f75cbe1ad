import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOrder } from './orders.ts';
import { RevokedUsers } from './revoked-users.ts';

test('a revocation invalidates tokens that were issued earlier, in the same second, or at an unknown time', () => {
  const users = new RevokedUsers({ max: 10 });
  users.add('mallory', 5_500);
  const isRevoked = (userId: string, issuedAtS?: number) => users.isRevoked({ userId, issuedAtS });
  assert.deepEqual(
    [0, 4, 5, 6, 7, undefined].map((issuedAtS) => isRevoked('mallory', issuedAtS)),
    [true, true, true, false, false, true],
  );
  assert.deepEqual([isRevoked('mina', 0), isRevoked('mina')], [false, false]);
});

test('a revocation time never goes back, and above the maximum the oldest revocation is dropped', () => {
  const users = new RevokedUsers({ max: 2 });
  users.add('a', 2_000);
  users.add('b', 2_001);
  users.add('a', 1_000);
  assert.deepEqual([users.at('a'), users.size], [2_000, 2]);
  users.add('a', 3_000);
  users.add('c', 3_001);
  assert.deepEqual([users.at('a'), users.at('b'), users.at('c'), users.size], [3_000, undefined, 3_001, 2]);
});

test('orders of other releases and malformed orders are ignored', () => {
  assert.deepEqual(toOrder(['k', 'revoke', 'u', 'mina', 't', '7']), [{ kind: 'revoke', target: 'mina', atMs: 7 }]);
  for (const fields of [
    [],
    ['k', 'revoke'],
    ['k', 'close', 'u', 'mina', 't', '7'],
    ['k', 'revoke', 'u', 'a', 't', 'x'],
  ])
    assert.deepEqual(toOrder(fields), []);
});
