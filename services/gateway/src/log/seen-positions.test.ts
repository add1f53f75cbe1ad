import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeenPositions, type SeenPositions } from './seen-positions.ts';

function positionIn(seen: SeenPositions, room: string) {
  const [epoch, seq] = seen.scriptArguments(room);
  return epoch === '' ? undefined : { epoch, seq };
}

test('keeps the highest position of each room, and a later epoch replaces an earlier one', () => {
  const seen = createSeenPositions({ roomsMax: 10 });
  seen.note('a', '1.x', 5);
  seen.note('a', '1.x', 3);
  assert.deepEqual(positionIn(seen, 'a'), { epoch: '1.x', seq: 5 });
  seen.note('a', '2.y', 2);
  seen.note('a', '1.x', 9);
  assert.deepEqual(positionIn(seen, 'a'), { epoch: '2.y', seq: 2 });
});

test('forgets the least recently noted room first', () => {
  const seen = createSeenPositions({ roomsMax: 2 });
  for (const room of ['busy', 'old', 'busy', 'new']) seen.note(room, '1.x', 1);
  assert.ok(positionIn(seen, 'busy'));
  assert.equal(positionIn(seen, 'old'), undefined);
  assert.ok(positionIn(seen, 'new'));
});
