import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nextRoom } from './next-room.ts';

const rooms = ['a', 'b', 'c', 'd'].map((room) => ({ room, isUnread: room === 'b' || room === 'd' }));
const next = (current: string, step: 1 | -1, unreadOnly = false) => nextRoom(rooms, current, { step, unreadOnly });

it('goes to the next and the previous room, and wraps around at the ends', () => {
  assert.deepEqual([next('a', 1), next('d', 1), next('a', -1), next('c', -1)], ['b', 'a', 'd', 'b']);
});

it('can skip rooms without unread messages', () => {
  assert.deepEqual(
    [next('a', 1, true), next('b', 1, true), next('d', 1, true), next('a', -1, true)],
    ['b', 'd', 'b', 'd'],
  );
  assert.equal(nextRoom([{ room: 'a', isUnread: true }], 'a', { step: 1, unreadOnly: true }), null);
});

it('starts at an end of the list if the current room is not in it', () => {
  assert.deepEqual([next('x', 1), next('x', -1)], ['a', 'd']);
  assert.equal(nextRoom([], 'x', { step: 1, unreadOnly: false }), null);
});
