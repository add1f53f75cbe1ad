import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeenPositions } from './seen-positions.ts';

test('remembers the highest position of each room, and a later epoch replaces an earlier one', () => {
  const seen = createSeenPositions({ roomsMax: 10 });
  seen.note('a', '1.x', 5);
  seen.note('a', '1.x', 3);
  assert.deepEqual(seen.get('a'), { epoch: '1.x', seq: 5 });
  seen.note('a', '2.y', 2);
  seen.note('a', '1.x', 9);
  assert.deepEqual(seen.get('a'), { epoch: '2.y', seq: 2 });
});

test('forgets the least recently noted room first', () => {
  const seen = createSeenPositions({ roomsMax: 2 });
  for (const room of ['busy', 'old', 'busy', 'new']) seen.note(room, '1.x', 1);
  assert.ok(seen.get('busy'));
  assert.equal(seen.get('old'), undefined);
  assert.ok(seen.get('new'));
});
