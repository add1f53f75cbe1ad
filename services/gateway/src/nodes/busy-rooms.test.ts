import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusyRooms, mergeRooms, openRooms } from './busy-rooms.ts';

const open = (head: number, quiet = 5) => [
  { room: 'quiet', connections: 9, head: quiet },
  { room: 'busy', connections: 2, head },
];

test('gives rates between two samples, but none in the first sample or after a long pause', () => {
  const rooms = new BusyRooms();
  assert.deepEqual(rooms.sample(open(100), 10, 0), [
    { room: 'quiet', connections: 9, entriesPerS: null },
    { room: 'busy', connections: 2, entriesPerS: null },
  ]);
  assert.deepEqual(rooms.sample(open(150), 1, 10_000), [{ room: 'busy', connections: 2, entriesPerS: 5 }]);
  // Another administrator asks at the same time.
  assert.equal(rooms.sample(open(151), 1, 10_001)[0]?.entriesPerS, 5);
  // A new epoch starts below the old head.
  assert.equal(rooms.sample(open(1), 10, 20_000).find(({ room }) => room === 'busy')?.entriesPerS, 0);
  assert.equal(rooms.sample(open(9), 10, 90_000)[0]?.entriesPerS, null);
});

test('the cluster total adds the connections of all nodes, and counts each entry once', () => {
  const one = { room: 'a', connections: 2, entriesPerS: 4 };
  const other = { room: 'a', connections: 3, entriesPerS: null };
  assert.deepEqual(mergeRooms([[one], [other, { room: 'b', connections: 1, entriesPerS: 5 }]], 10), [
    { room: 'b', connections: 1, entriesPerS: 5 },
    { room: 'a', connections: 5, entriesPerS: 4 },
  ]);
});

test('counts the connections of this node in each room', () => {
  const sessions = [['a', 'b'], ['b'], []].map((rooms) => ({
    subscriptions: new Map(rooms.map((room) => [room, true])),
  }));
  assert.deepEqual(
    openRooms(sessions, () => 7),
    [
      { room: 'a', connections: 1, head: 7 },
      { room: 'b', connections: 2, head: 7 },
    ],
  );
});
