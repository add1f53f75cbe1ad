import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { leaseSize, UserQuota } from './user-quota.ts';

/** Longer than any bucket here needs to be full. */
const LEASE_MS = 600_000;
const SPEC = { perSecond: 20, burst: 100 };
/** Large enough that tests of messages need no second block of bytes. */
const WIDE_BYTES = { perSecond: 1e9, burst: 1e9 };
const { blockTokens: BLOCK, refillBelowTokens: REFILL_BELOW } = leaseSize(SPEC);

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

/** A separate node. It counts its calls of the store. */
function node(spec = SPEC, now = () => performance.now(), bytes = WIDE_BYTES): UserQuota {
  const counted: RedisStore = {
    ...store,
    at: (key, command) => {
      leases++;
      return store.at(key, command);
    },
  };
  return new UserQuota({
    store: counted,
    spec,
    bytesOf: () => bytes,
    leaseMs: LEASE_MS,
    now,
  });
}

test('a user who keeps sending waits only for the first token: the next block is leased in advance', async () => {
  const quota = node();
  leases = 0;
  const first = quota.take('talker', 1);
  assert.notEqual(typeof first, 'number');
  assert.equal(await first, 0);
  for (let message = 1; message < 60; message++) {
    await pause(2);
    assert.equal(quota.take('talker', 1), 0, `message ${message} waited`);
  }
  // The first block, and one more whenever fewer than REFILL_BELOW are left.
  assert.ok(leases >= 4 && leases <= 5, `${leases} leases`);
});

test('one user on several nodes never gets more tokens than the bucket has', async () => {
  const nodes = [node(), node(), node()];
  const startedAtMs = performance.now();
  let taken = 0;
  for (let round = 0; round < 120; round++) {
    const waits = await Promise.all(nodes.map((quota) => quota.take('flooder', 1)));
    taken += waits.filter((waitMs) => waitMs === 0).length;
  }
  const elapsedS = (performance.now() - startedAtMs) / 1_000;
  assert.ok(taken <= SPEC.burst + SPEC.perSecond * elapsedS + 1, `${taken} in ${elapsedS} s`);
  assert.ok(taken >= SPEC.burst - nodes.length * (BLOCK + REFILL_BELOW), `only ${taken}`);
});

test('while the bucket is empty, no block is requested in advance', async () => {
  // Slow, so that nothing refills during the test.
  const spec = { perSecond: 0.1, burst: SPEC.burst };
  const [talker, other] = [node(spec), node(spec)];
  assert.equal(await talker.take('drained', 1), 0);
  for (let token = 0; token < SPEC.burst && (await other.take('drained', 1)) === 0; token++);
  leases = 0;
  for (let message = 1; message < BLOCK; message++) {
    assert.equal(talker.take('drained', 1), 0);
    await pause(2);
  }
  assert.equal(leases, 1);
});

test('a block is small compared to a burst, and never empty', () => {
  assert.deepEqual(leaseSize(SPEC), { blockTokens: 16, refillBelowTokens: 4 });
  assert.deepEqual(leaseSize({ perSecond: 2, burst: 10 }), { blockTokens: 1, refillBelowTokens: 0 });
  assert.deepEqual(leaseSize({ perSecond: 500, burst: 5_000 }), { blockTokens: 16, refillBelowTokens: 4 });
});

test('refunded tokens are limited to a burst and expire when the bucket would be full', async () => {
  let skippedMs = 0;
  // Slow, so that nothing refills during the test.
  const spec = { perSecond: 0.2, burst: SPEC.burst };
  const quota = node(spec, () => performance.now() + skippedMs);
  const takeTogether = (count: number) => Promise.all(Array.from({ length: count }, () => quota.take('retrier', 1)));
  const served = (waits: number[]) => waits.filter((waitMs) => waitMs === 0).length;
  assert.equal(served(await takeTogether(150)), SPEC.burst);
  // All messages were already stored, so retries cost nothing.
  for (let token = 0; token < 300; token++) quota.giveBack('retrier', 1);
  for (let token = 0; token < SPEC.burst; token++) assert.equal(quota.take('retrier', 1), 0);
  assert.ok((await quota.take('retrier', 1)) > 0);
  for (let token = 0; token < SPEC.burst; token++) quota.giveBack('retrier', 1);
  skippedMs += (spec.burst * 1_000) / spec.perSecond;
  leases = 0;
  await quota.take('retrier', 1);
  assert.equal(leases, 1, 'they were kept');
});

/** Takes until it is refused. Returns how many were served, and the wait. */
async function takeAll(quota: UserQuota, user: string, bytes: number, messages: 0 | 1 = 1): Promise<[number, number]> {
  for (let served = 0; ; served++) {
    const waitMs = await quota.take(user, bytes, messages);
    if (waitMs > 0) return [served, waitMs];
  }
}

test('one user on several nodes stores at most the bytes of the bucket, plus one request on each node', async () => {
  const bytes = { perSecond: 1, burst: 300_000 };
  const wide = { perSecond: 1_000, burst: 10_000 };
  const [small, large] = [1_000, 60_000];
  for (const size of [small, large]) {
    const nodes = [1, 2, 3].map(() => node(wide, undefined, bytes));
    let served = 0;
    for (const quota of nodes) served += (await takeAll(quota, `writer of ${size}`, size))[0];
    assert.ok(served * size <= bytes.burst + nodes.length * size, `${served} of ${size}`);
    // At most the unused rest of the first node's blocks is lost.
    assert.ok(served * size >= bytes.burst - 2 * 16_384 - size, `${served} of ${size}`);
  }
});

test('a refusal contains the wait until enough bytes are available', async () => {
  const skippedMs = 0;
  const bytes = { perSecond: 100_000, burst: 200_000 };
  const quota = node(SPEC, () => performance.now() + skippedMs, bytes);
  const [served, waitMs] = await takeAll(quota, 'waiter', 60_000, 0);
  assert.equal(served, 4);
  // 40,000 bytes are owed.
  assert.ok(waitMs >= 300 && waitMs <= 500, `${waitMs}`);
  await pause(waitMs + 50);
  assert.equal(await quota.take('waiter', 60_000, 0), 0);
});

test('bytes without a message cost no message, and waiting messages share blocks of bytes', async () => {
  const spec = { perSecond: 0.1, burst: 10 };
  const quota = node(spec, undefined, { perSecond: 1, burst: 1_000_000 });
  for (let i = 0; i < 20; i++) assert.equal(await quota.take('joiner', 512, 0), 0);
  const waits = await Promise.all(Array.from({ length: 30 }, () => quota.take('joiner', 40_000)));
  assert.equal(waits.filter((waitMs) => waitMs === 0).length, 10);
});

test('bytes of a retry are refunded', async () => {
  const quota = node({ perSecond: 1_000, burst: 10_000 }, undefined, { perSecond: 1, burst: 100_000 });
  for (let retry = 0; retry < 50; retry++) {
    assert.equal(await quota.take('retrier of bytes', 16_000), 0);
    quota.giveBack('retrier of bytes', 16_000);
  }
});
