import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectionsToMove } from './balance.ts';

test('a node that is alone, balanced or below the mean moves no connections', () => {
  assert.equal(connectionsToMove(5_000, [5_000]), 0);
  assert.equal(connectionsToMove(500, [500, 480, 520]), 0);
  assert.equal(connectionsToMove(0, [0, 900]), 0);
  assert.equal(connectionsToMove(20, [20, 0]), 0, 'a handful is not worth moving');
});

test('a node far above the mean moves a part of its surplus', () => {
  assert.equal(connectionsToMove(400, [400, 0]), 50);
  assert.equal(connectionsToMove(100_000, [100_000, 0]), 200);
});

test('rounds converge and never overshoot', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 2, maxLength: 6 }), (start) => {
      let loads = start;
      const total = loads.reduce((sum, load) => sum + load, 0);
      for (let round = 0; round < 200; round++) {
        const moving = loads.map((load) => connectionsToMove(load, loads));
        const next = loads.map((load, index) => load - (moving[index] as number));
        // The balancer gives each to the node with the fewest.
        for (let i = moving.reduce((sum, count) => sum + count, 0); i > 0; i--) {
          const least = next.indexOf(Math.min(...next));
          next[least] = (next[least] as number) + 1;
        }
        loads = next;
      }
      const mean = total / loads.length;
      assert.ok(
        loads.every((load) => load <= mean * 1.2 + 21),
        String(loads),
      );
      assert.equal(
        loads.reduce((sum, load) => sum + load, 0),
        total,
      );
    }),
    { numRuns: 60 },
  );
});
