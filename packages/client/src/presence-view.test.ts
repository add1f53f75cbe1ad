import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PresenceDiff, PresenceUser } from '@maru/protocol/events';
import fc from 'fast-check';
import { applyDiff, viewOfSnapshot } from './presence-view.ts';

const user = (id: string, name = id): PresenceUser => ({ id, name, status: 'online' });
const diff = (count: number, changes: Partial<PresenceDiff>): PresenceDiff => ({
  room: 'lobby',
  count,
  joins: [],
  leaves: [],
  updates: [],
  ...changes,
});

it('applies joins, leaves and updates', () => {
  let view = viewOfSnapshot({ count: 1, users: [user('a')] });
  view = applyDiff(view, diff(2, { joins: [user('b')] }));
  view = applyDiff(view, diff(2, { updates: [{ ...user('b'), status: 'away' }] }));
  view = applyDiff(view, diff(1, { leaves: [{ id: 'a' }] }));
  assert.deepEqual([...(view.users?.values() ?? [])], [{ ...user('b'), status: 'away' }]);
  assert.equal(view.stale, false);
});

it('is stale from the first mismatch of names and count until the next snapshot', () => {
  const view = applyDiff(viewOfSnapshot({ count: 1, users: [user('a')] }), diff(3, { joins: [user('c')] }));
  assert.equal(view.count, 3);
  assert.equal(view.stale, true);
  assert.equal(applyDiff(view, diff(2, {})).stale, true);
});

it('is not stale if names and count never matched', () => {
  const view = viewOfSnapshot({ count: 3, users: [user('a')] });
  assert.equal(applyDiff(view, diff(4, { joins: [user('b')] })).stale, false);
});

it('shows only the count of a large room, and becomes stale when names return', () => {
  const large = viewOfSnapshot({ count: 5_000 });
  assert.deepEqual(applyDiff(large, diff(5_001, {})), { count: 5_001, users: null, stale: false });
  assert.equal(applyDiff(large, diff(199, { leaves: [{ id: 'a' }] })).stale, true);
});

it('ignores a duplicate difference', () => {
  const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  fc.assert(
    fc.property(ids, ids, ids, (present, joining, leaving) => {
      const before = viewOfSnapshot({ count: present.length, users: present.map((id) => user(id)) });
      const change = diff(0, { joins: joining.map((id) => user(id)), leaves: leaving.map((id) => ({ id })) });
      const once = applyDiff(before, change);
      assert.deepEqual(applyDiff(once, change).users, once.users);
    }),
  );
});
