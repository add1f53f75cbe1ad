import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConnectionCounts } from './connection-counts.ts';

describe('connection counts', () => {
  it('recognize the first and the last connection of a user in a room', () => {
    const counts = new ConnectionCounts();
    assert.equal(counts.enter('lobby', 'mina'), true);
    assert.equal(counts.enter('lobby', 'mina'), false);
    assert.equal(counts.enter('den', 'mina'), true);
    assert.equal(counts.leave('lobby', 'mina'), false);
    assert.equal(counts.leave('lobby', 'mina'), true);
    assert.equal(counts.leave('lobby', 'mina'), false);
  });

  it('agree with a plain list in any order of events', () => {
    const action = fc.record({
      isEntering: fc.boolean(),
      room: fc.constantFrom('r1', 'r2'),
      connection: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const counts = new ConnectionCounts();
        const subscriptions = new Set<string>();
        for (const { isEntering, room, connection } of actions) {
          // Each of three users has two connections. A connection enters a room before it leaves
          // it.
          const userId = `u${connection % 3}`;
          const subscription = `${room} ${userId} ${connection}`;
          if (subscriptions.has(subscription) === isEntering) continue;
          if (isEntering) subscriptions.add(subscription);
          else subscriptions.delete(subscription);
          const others = [...subscriptions].filter(
            (other) => other !== subscription && other.startsWith(`${room} ${userId} `),
          );
          const isEdge = isEntering ? counts.enter(room, userId) : counts.leave(room, userId);
          assert.equal(isEdge, others.length === 0);
        }
      }),
    );
  });
});
