import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { MaruError } from '@maru/protocol';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { roomMetaKey } from '../keys.ts';
import { createRoomDirectory } from './directory.ts';
import { createRoomClaims, type RoomClaims } from './room-claims.ts';

let redis: TestRedis;
let admin: Redis;
let store: RedisStore;
let claims: RoomClaims;
/** Currently claimed rooms. */
const claimed = new Set<string>();
const quota = { charge: async () => {}, giveBack: () => {} };

before(async () => {
  redis = await startTestRedis();
  admin = new Redis(redis.url, { protocol: 2 });
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  store = singleStore(connectRedis({ url: redis.url, deadlineMs: 800 }, { purpose: 'test', node: 'n', logger }));
  assert.ok(await store.untilReady(5_000));
  const rooms = {
    claim: async (_user: string, room: string) => (claimed.has(room) ? undefined : claimed.add(room).size),
    release: async (_user: string, room: string) => void claimed.delete(room),
  };
  claims = createRoomClaims({ store, seen: { headOf: () => 0 }, quota, rooms });
});
beforeEach(() => claimed.clear());
after(async () => {
  admin.disconnect();
  await store.close();
  await redis.stop();
});

test('the first message claims a room that would expire, or has already expired', async () => {
  await admin.hset(roomMetaKey('empty'), 'epoch', 'e');
  await admin.pexpire(roomMetaKey('empty'), 60_000);
  await admin.hset(roomMetaKey('permanent'), 'epoch', 'e');
  for (const room of ['empty', 'permanent', 'expired']) await claims.write('mina', room);
  assert.deepEqual([...claimed], ['empty', 'expired']);
});

test('a private room that was not created is not counted, because a retry gets another id', async () => {
  const failing: RedisStore = { ...store, at: () => Promise.reject(new Error('planted')) };
  const directory = createRoomDirectory({
    store: failing,
    claims,
    roomList: { add: async () => ({ settle() {}, undo() {} }) },
    audit: { record() {} },
    onDeleted() {},
    onUnlisted: () => {},
  });
  const isUnavailable = (error: MaruError) => error.code === 'unavailable';
  await assert.rejects(directory.create('mina', { visibility: 'private' }), isUnavailable);
  assert.equal(claimed.size, 0);
  // A retry of a public room claims the same room.
  await assert.rejects(directory.create('mina', { visibility: 'public', room: 'tea' }), isUnavailable);
  assert.deepEqual([...claimed], ['tea']);
});
