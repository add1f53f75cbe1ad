import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RoomOccupancy } from './room-occupancy.ts';

describe('room census', () => {
  it('tells the first and the last connection of a user in a room', () => {
    const census = new RoomOccupancy();
    assert.equal(census.enter('lobby', 'mina'), true);
    assert.equal(census.enter('lobby', 'mina'), false);
    assert.equal(census.enter('den', 'mina'), true);
    assert.equal(census.leave('lobby', 'mina'), false);
    assert.equal(census.leave('lobby', 'mina'), true);
    assert.equal(census.leave('lobby', 'mina'), false);
  });

  it('agrees with a plain list whatever happens', () => {
    const action = fc.record({
      isEntering: fc.boolean(),
      room: fc.constantFrom('r1', 'r2'),
      connection: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const census = new RoomOccupancy();
        const subscriptions = new Set<string>();
        for (const { isEntering, room, connection } of actions) {
          // Two connections of each user; each enters a room once before it leaves it.
          const userId = `u${connection % 3}`;
          const subscription = `${room} ${userId} ${connection}`;
          if (subscriptions.has(subscription) === isEntering) continue;
          if (isEntering) subscriptions.add(subscription);
          else subscriptions.delete(subscription);
          const others = [...subscriptions].filter(
            (other) => other !== subscription && other.startsWith(`${room} ${userId} `),
          );
          const told = isEntering ? census.enter(room, userId) : census.leave(room, userId);
          assert.equal(told, others.length === 0);
        }
      }),
    );
  });
});
