import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LIMITS, type MaruError } from '@maru/protocol';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { roomMetaKey, userRoomsKey } from '../keys.ts';
import { createRoomQuota, type RoomQuota } from './room-quota.ts';

const HOUR_MS = 3_600_000;

let redis: TestRedis;
let store: RedisStore;
let quota: RoomQuota;

before(async () => {
  redis = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  store = singleStore(connectRedis({ url: redis.url, deadlineMs: 800 }, { purpose: 'test', node: 'n', logger }));
  assert.ok(await store.untilReady(5_000));
  quota = createRoomQuota({ store, limits: LIMITS });
});
after(async () => {
  await store.close();
  await redis.stop();
});

for (const [user, perHour] of [
  ['guest-a', LIMITS.guestRoomsPerHour],
  ['mina', LIMITS.userRoomsPerHour],
] as const) {
  test(`${user} makes ${perHour} rooms an hour; the refusal names the wait`, async () => {
    const claims: Array<number | undefined> = [];
    for (let made = 0; made < perHour; made++) claims.push(await quota.claim(user, `room-${made}`));
    assert.equal(await quota.claim(user, 'room-0'), undefined);
    await assert.rejects(quota.claim(user, 'one-more'), (error: MaruError) => {
      const { code, retryable, retryAfterMs = 0 } = error.toBody();
      assert.deepEqual([code, retryable], ['rate_limited', true]);
      return retryAfterMs > HOUR_MS - 60_000 && retryAfterMs <= HOUR_MS;
    });
    // The second claim of room-0 relies on the first one.
    await quota.release(user, 'room-0', claims[0] as number);
    await assert.rejects(quota.claim(user, 'one-more'));
    await quota.release(user, 'room-1', claims[1] as number);
    assert.equal(typeof (await quota.claim(user, 'another')), 'number');
  });
}

test('the limit of public rooms does not count private and direct rooms, which have their own', async () => {
  const limits = { ...LIMITS, userRoomsMax: 2, userRoomsPerHour: 10_000 };
  const small = createRoomQuota({ store, limits });
  const key = userRoomsKey('busy');
  for (const room of ['p-a', 'd-b', 'p-c', 'one', 'two'])
    assert.equal(typeof (await small.claim('busy', room)), 'number', room);
  const isConflict = (error: MaruError) => error.code === 'conflict';
  await assert.rejects(small.claim('busy', 'three'), isConflict);
  assert.equal(typeof (await small.claim('busy', 'd-e')), 'number');
  const now = Date.now();
  for (let made = await store.at(key, (redis) => redis.zcard(key)); made < 2 + LIMITS.roomsPerUserMax; made++)
    await store.at(key, (redis) => redis.zadd(key, now, `d-${made}`));
  await assert.rejects(small.claim('busy', 'd-more'), isConflict);
});

test('after an hour, deleted rooms leave a full list, and others stay', async () => {
  const limits = { ...LIMITS, userRoomsMax: 3, userRoomsPerHour: 100 };
  const small = createRoomQuota({ store, limits });
  const key = userRoomsKey('full');
  const old = Date.now() - 2 * HOUR_MS;
  await store.at(key, (redis) => redis.zadd(key, old, 'kept', old + 1, 'gone', old + 2, 'marked'));
  for (const [room, fields] of [
    ['kept', { epoch: '1.a' }],
    ['marked', { epoch: '2.a', deleted: '1' }],
  ] as const)
    await store.at(roomMetaKey(room), (redis) => redis.hset(roomMetaKey(room), fields));
  assert.equal(typeof (await small.claim('full', 'new-1')), 'number');
  assert.equal(typeof (await small.claim('full', 'new-2')), 'number');
  // The two new ones do not exist either, but they are less than an hour old.
  await assert.rejects(small.claim('full', 'new-3'), (error: MaruError) => error.code === 'conflict');
  assert.deepEqual(await store.at(key, (redis) => redis.zrange(key, '0', '-1')), ['kept', 'new-1', 'new-2']);
});
