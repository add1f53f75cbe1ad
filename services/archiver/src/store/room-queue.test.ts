import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { archiveKeys } from '../keys.ts';
import { silent } from '../testing/rig.ts';
import { createRoomQueue } from './room-queue.ts';

let server: TestRedis;
let redis: RedisStore;
before(async () => {
  server = await startTestRedis();
  redis = singleStore(
    connectRedis({ url: server.url, deadlineMs: 5_000 }, { purpose: 'test', node: 'n', logger: silent }),
  );
  await redis.untilReady(5_000);
});
beforeEach(() => redis.at('', (connection) => connection.flushall()));
after(async () => {
  await redis.close();
  await server.stop();
});

const hint = (room: string, since: number) =>
  redis.at(archiveKeys.dirty, (connection) => connection.zadd(archiveKeys.dirty, 'NX', since, room));
const names = (claims: ReadonlyArray<{ room: string }>) => claims.map(({ room }) => room);

test('rooms that have waited longest are claimed first, each by one worker', async () => {
  const queue = createRoomQueue(redis, { claimMs: 10_000 });
  for (const [room, since] of [
    ['c', 3],
    ['a', 1],
    ['b', 2],
    ['d', 4],
  ] as const)
    await hint(room, since);
  assert.deepEqual(await queue.claim('one', [], 2), [
    { room: 'a', since: 1 },
    { room: 'b', since: 2 },
  ]);
  assert.deepEqual(names(await queue.claim('two', [], 9)), ['c', 'd']);
  assert.deepEqual(await queue.claim('two', [], 9), []);
});

test('a hint during the work queues the room again', async () => {
  const queue = createRoomQueue(redis, { claimMs: 10_000 });
  await hint('tea', 1);
  await hint('milk', 9);
  const claims = await queue.claim('one', [], 1);
  await hint('tea', 5);
  assert.deepEqual(names(await queue.claim('two', [], 9)), ['milk']);
  await queue.release(
    'one',
    claims.map(({ room }) => ({ room, since: 0 })),
  );
  assert.deepEqual(await queue.claim('two', [], 9), [{ room: 'tea', since: 5 }]);
});

test('claims of a dead worker return to the queue with their age, and those of a live one stay', async () => {
  const claimMs = 1_000;
  const queue = createRoomQueue(redis, { claimMs });
  await hint('dead', 7);
  await hint('alive', 8);
  assert.equal((await queue.claim('dead', [], 1)).length, 1);
  let held = await queue.claim('alive', [], 1);
  for (const endsAt = performance.now() + 1.2 * claimMs; performance.now() < endsAt; ) {
    await sleep(claimMs / 20);
    held = await queue.claim('alive', held, 0);
  }
  assert.deepEqual(names(held), ['alive']);
  assert.deepEqual(await queue.claim('other', [], 9), [{ room: 'dead', since: 7 }]);
  // It has lost the room, so it cannot release it.
  assert.deepEqual(await queue.claim('dead', [{ room: 'dead', since: 7 }], 0), []);
  await queue.release('dead', [{ room: 'dead', since: 7 }]);
  assert.deepEqual(await queue.claim('third', [], 9), []);
});

test('a room with more work returns behind those that have waited longer, and its age counts as lag', async () => {
  const queue = createRoomQueue(redis, { claimMs: 10_000 });
  const now = Date.now();
  await hint('hot', now - 9_000);
  const claims = await queue.claim('one', [], 1);
  assert.ok((await queue.state()).ageMs >= 9_000);
  await hint('other', now - 5_000);
  await queue.release(
    'one',
    claims.map(({ room }) => ({ room, since: now - 1_000 })),
  );
  const { rooms, ageMs } = await queue.state();
  assert.equal(rooms, 2);
  assert.ok(ageMs >= 5_000 && ageMs < 9_000, String(ageMs));
  assert.deepEqual(names(await queue.claim('two', [], 9)), ['other', 'hot']);
});

test('the queue works in a full store', async () => {
  const queue = createRoomQueue(redis, { claimMs: 10_000 });
  await hint('tea', 1);
  await redis.at('', (connection) => connection.config('SET', 'maxmemory', '1'));
  const claims = await queue.claim('one', [], 1);
  await queue.release('one', claims);
  assert.deepEqual(names(await queue.claim('two', [], 1)), ['tea']);
  await redis.at('', (connection) => connection.config('SET', 'maxmemory', '0'));
});

test('one archiver scans at a time, and another takes over from a silent one', async () => {
  const queue = createRoomQueue(redis, { claimMs: 10_000 });
  assert.equal(await queue.holdScan('one', 60), true);
  assert.equal(await queue.holdScan('two', 60), false);
  assert.equal(await queue.holdScan('one', 60), true);
  await sleep(80);
  assert.equal(await queue.holdScan('two', 60), true);
});
