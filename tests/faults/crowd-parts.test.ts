import assert from 'node:assert/strict';
import { test } from 'node:test';
import { divideCrowd } from './crowd-parts.ts';

const whole = { clients: 2_003, rooms: 201, actsPerSecond: 50 };

test('divides a crowd evenly and completely, with unique numbers', () => {
  const parts = divideCrowd(whole);
  assert.equal(parts.length, 5);
  let next = 1;
  for (const { firstMember, clients } of parts) {
    assert.equal(firstMember, next);
    assert(clients === 400 || clients === 401, `${clients}`);
    next += clients;
  }
  assert.equal(next - 1, whole.clients);
  assert.equal(
    parts.reduce((sum, { rooms }) => sum + rooms, 0),
    whole.rooms,
  );
});

test('every part has a room, even with few rooms', () => {
  assert.deepEqual(
    divideCrowd({ ...whole, rooms: 2 }).map(({ rooms }) => rooms),
    [1, 1],
  );
  assert.equal(divideCrowd({ clients: 8, rooms: 3, actsPerSecond: 1 }).length, 1);
});
