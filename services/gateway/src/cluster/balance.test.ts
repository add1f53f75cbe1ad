import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRedis, runScript } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis } from '@maru/service-kit/testing';
import fc from 'fast-check';
import { nodeLoadsKey, nodesSeenKey } from '../keys.ts';
import { connectionsToMove, reportLoadScript } from './balance.ts';

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

test("a node that died before Redis' clock was set back is removed, like a silent one", async (t) => {
  const redis = await startTestRedis();
  t.after(() => redis.stop());
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  const source = openRedis(redis.url, { node: 'n', logger });
  const store = source.open('control', 2_000);
  t.after(async () => {
    await store.close();
    source.close();
  });
  await store.untilReady(5_000);
  const keys = [nodeLoadsKey(), nodesSeenKey()];
  const report = (node: string) => runScript(store, reportLoadScript, keys, [node, 10, 60_000]);
  await report('dead');
  assert.deepEqual(await report('alive'), ['dead', '10', 'alive', '10']);
  // The same as setting the clock back.
  for (const stepMs of ['3600000', '-7200000']) {
    await report('dead');
    await store.at(nodesSeenKey(), (client) => client.zincrby(nodesSeenKey(), stepMs, 'dead'));
    assert.deepEqual(await report('alive'), ['alive', '10'], stepMs);
  }
});
