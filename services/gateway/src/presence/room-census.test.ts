import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CensusTransition, RoomCensus } from './room-census.ts';

const mina = { id: 'mina', name: 'Mina' };

describe('room census', () => {
  it('tells the first and the last connection of a user in a room', () => {
    const census = new RoomCensus();
    assert.deepEqual(census.enter('lobby', mina, 'c1'), { type: 'enter', room: 'lobby', user: mina });
    assert.equal(census.enter('lobby', mina, 'c1'), undefined);
    assert.equal(census.enter('lobby', mina, 'c2'), undefined);
    assert.equal(census.leave('lobby', 'c1'), undefined);
    assert.equal(census.leave('lobby', 'c1'), undefined);
    assert.deepEqual(census.leave('lobby', 'c2'), { type: 'leave', room: 'lobby', userId: 'mina' });
    assert.equal(census.roomCount, 0);
  });

  it('takes a connection out of every room at once', () => {
    const census = new RoomCensus();
    census.enter('lobby', mina, 'c1');
    census.enter('den', mina, 'c1');
    census.enter('den', mina, 'c2');
    assert.deepEqual(census.leaveAll('c1'), [{ type: 'leave', room: 'lobby', userId: 'mina' }]);
    assert.deepEqual(census.leaveAll('c1'), []);
  });

  it('agrees with a plain count whatever happens', () => {
    const action = fc.record({
      kind: fc.constantFrom('enter', 'leave', 'gone'),
      room: fc.constantFrom('r1', 'r2'),
      connection: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const census = new RoomCensus();
        const model = new Set<string>();
        const told = new Set<string>();
        const hear = (transition: CensusTransition | undefined) => {
          if (transition === undefined) return;
          const userId = transition.type === 'enter' ? transition.user.id : transition.userId;
          const key = `${transition.room} ${userId}`;
          assert.equal(told.has(key), transition.type === 'leave');
          if (transition.type === 'enter') told.add(key);
          else told.delete(key);
        };
        for (const { kind, room, connection } of actions) {
          // Two connections of each user.
          const user = { id: `u${connection % 3}`, name: 'U' };
          if (kind === 'enter') {
            model.add(`${room} ${user.id} ${connection}`);
            hear(census.enter(room, user, String(connection)));
          } else if (kind === 'leave') {
            model.delete(`${room} ${user.id} ${connection}`);
            hear(census.leave(room, String(connection)));
          } else {
            for (const key of model) if (key.endsWith(` ${connection}`)) model.delete(key);
            for (const transition of census.leaveAll(String(connection))) hear(transition);
          }
          assert.deepEqual(
            [...told].sort(),
            [...new Set([...model].map((key) => key.split(' ').slice(0, 2).join(' ')))].sort(),
          );
        }
      }),
    );
  });
});
