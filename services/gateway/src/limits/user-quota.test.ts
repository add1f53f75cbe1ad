import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, createLogger, type RedisStore, singleStore } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createUserQuota, type UserQuota } from './user-quota.ts';

const SPEC = { perSecond: 20, burst: 100 };
const BLOCK = 16;
const REFILL_BELOW = 4;

let redis: TestRedis;
let store: RedisStore;
let leases = 0;

before(async () => {
  redis = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  store = singleStore(connectRedis({ url: redis.url, deadlineMs: 800 }, { purpose: 'test', node: 'n', logger }));
  assert.ok(await store.untilReady(5_000));
});
after(async () => {
  await store.close();
  await redis.stop();
});

/** A node of its own: what it asks the store for is counted. */
function node(spec = SPEC): UserQuota {
  const counted: RedisStore = {
    ...store,
    at: (key, command) => {
      leases++;
      return store.at(key, command);
    },
  };
  return createUserQuota({
    store: counted,
    spec,
    blockTokens: BLOCK,
    refillBelowTokens: REFILL_BELOW,
    leaseMs: 60_000,
    now: () => performance.now(),
  });
}

test('who goes on talking waits for the first token only: each next block comes while the one before lasts', async () => {
  const quota = node();
  leases = 0;
  const first = quota.take('talker');
  assert.notEqual(typeof first, 'number');
  assert.equal(await first, 0);
  for (let message = 1; message < 60; message++) {
    await pause(2);
    assert.equal(quota.take('talker'), 0, `message ${message} waited`);
  }
  // The first block, then one more whenever fewer than REFILL_BELOW were left.
  assert.ok(leases >= 4 && leases <= 5, `${leases} leases`);
});

test('one user over several nodes never gets more than the bucket gave, blocks asked for ahead included', async () => {
  const nodes = [node(), node(), node()];
  const startedAtMs = performance.now();
  let taken = 0;
  for (let round = 0; round < 120; round++) {
    const waits = await Promise.all(nodes.map((quota) => quota.take('flooder')));
    taken += waits.filter((waitMs) => waitMs === 0).length;
  }
  const elapsedS = (performance.now() - startedAtMs) / 1_000;
  assert.ok(taken <= SPEC.burst + SPEC.perSecond * elapsedS + 1, `${taken} in ${elapsedS} s`);
  assert.ok(taken >= SPEC.burst - nodes.length * (BLOCK + REFILL_BELOW), `only ${taken}`);
});

test('while the bucket is empty the store is not asked for blocks that nobody waits for', async () => {
  // So slow that nothing comes back while this runs.
  const spec = { perSecond: 0.1, burst: SPEC.burst };
  const [talker, other] = [node(spec), node(spec)];
  assert.equal(await talker.take('drained'), 0);
  while ((await other.take('drained')) === 0);
  leases = 0;
  for (let message = 1; message < BLOCK; message++) {
    assert.equal(talker.take('drained'), 0);
    await pause(2);
  }
  assert.equal(leases, 1);
});
