/** Joins and typing of a user on several nodes, on a real Redis. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MaruError } from '@maru/protocol';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createResumeLimit } from './resume-limit.ts';
import { createUserRate } from './user-rate.ts';

/** A slow rate, so that nothing refills during a test. */
const SPEC = { perSecond: 0.8, burst: 80 };
const OWN = SPEC.burst / 8;

let redis: TestRedis;
let store: RedisStore;
let calls = 0;
let refused = 0;

before(async () => {
  redis = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  const connected = singleStore(
    connectRedis({ url: redis.url, deadlineMs: 800 }, { purpose: 'test', node: 'n', logger }),
  );
  assert.ok(await connected.untilReady(5_000));
  store = {
    ...connected,
    at: (key, command) => {
      calls++;
      return connected.at(key, command);
    },
  };
});
after(async () => {
  await store.close();
  await redis.stop();
});

const node = (kind: 'joins' | 'typing' = 'joins', now = () => 0) =>
  createUserRate({ store, kind, spec: SPEC, message: 'too many', onRefused: () => refused++, now });

/** Returns how many of `count` requests are served, and the waits of the others. */
async function take(rate: ReturnType<typeof node>, userId: string, count: number) {
  const results = await Promise.allSettled(Array.from({ length: count }, async () => rate(userId)));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as MaruError] : []));
  for (const error of errors) assert.deepEqual([error instanceof MaruError, error.code], [true, 'rate_limited']);
  return { served: count - errors.length, waitsMs: errors.map(({ retryAfterMs }) => retryAfterMs ?? Number.NaN) };
}

test("within the node's own share, the store is not called", async () => {
  calls = 0;
  const rate = node();
  for (let i = 0; i < OWN; i++) assert.equal(rate('few'), undefined);
  assert.equal(calls, 0);
});

test('all nodes together serve the bucket and their own shares, and a refusal contains the wait', async () => {
  const nodes = [node(), node(), node()];
  refused = 0;
  const taken = await Promise.all(nodes.map((rate) => take(rate, 'flood', 100)));
  const served = taken.reduce((sum, one) => sum + one.served, 0);
  assert.ok(served >= SPEC.burst && served <= SPEC.burst + nodes.length * OWN + 1, `${served} served`);
  const waitsMs = taken.flatMap((one) => one.waitsMs);
  assert.equal(refused, waitsMs.length);
  assert.ok(
    waitsMs.every((waitMs) => waitMs > 0),
    String(waitsMs),
  );
  // Another user and another kind have separate buckets.
  assert.equal((await take(node(), 'calm', 50)).served, 50);
  assert.equal((await take(node('typing'), 'flood', 50)).served, 50);
});

test('all connections of a user resume all their rooms at once; more are delayed, not refused', async () => {
  let now = 0;
  const resume = createResumeLimit({ connectionsMax: 20, now: () => now });
  const session = { user: { id: 'returning' }, closed: false };
  for (let room = 0; room < 20 * 200; room++) assert.equal(resume(session), undefined);
  const delayed = resume(session);
  assert.ok(delayed instanceof Promise);
  now += 10;
  await delayed;
  const closed = { ...session, closed: false };
  const waits = Array.from({ length: 1_000 }, () => resume(closed));
  closed.closed = true;
  await Promise.all(waits);
  assert.equal(resume({ user: { id: 'another' }, closed: false }), undefined);
});
