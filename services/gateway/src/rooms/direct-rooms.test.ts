/**
 * Direct rooms in a real Redis: one for each pair of users, and repaired after a crash at any
 * point.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import { createRedisRoomList } from '../inbox/redis-room-list.ts';
import { roomMetaKey, roomRolesKey, userRoomListKey, userRoomsKey } from '../keys.ts';
import { createRoomQuota } from '../limits/room-quota.ts';
import { deleteRoom } from './delete-room.ts';
import { createDirectRooms } from './direct-rooms.ts';
import { createRoomClaims } from './room-claims.ts';

const LIMITS = { userRoomsMax: 3, guestRoomsMax: 3, userRoomsPerHour: 3, guestRoomsPerHour: 3 };

let server: TestRedis;
let redis: Redis;
let healthy: RedisStore;
let charges = 0;
const quota = { charge: async () => void charges++, giveBack: () => void charges-- };

before(async () => {
  server = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'n', logger });
  healthy = singleStore(redis);
  assert(await healthy.untilReady(10_000));
});
after(async () => {
  redis?.disconnect();
  await server?.stop();
});
beforeEach(async () => {
  await redis.flushall();
  charges = 0;
});

/** The part of a node that opens direct rooms. */
function nodeOn(store: RedisStore) {
  const rooms = createRoomQuota({ store, limits: LIMITS });
  const claims = createRoomClaims({ store, seen: { headOf: () => 0 }, quota, rooms });
  const list = createRedisRoomList({ store, now: () => performance.now(), onFailed: () => {} });
  return createDirectRooms({ store, claims, list });
}

/** A store that fails after a number of commands. The last command is executed but not answered. */
function crashAfter(commands: number): { store: RedisStore; used: () => number } {
  let used = 0;
  const store: RedisStore = {
    ...healthy,
    async at(key, command) {
      if (used >= commands) throw new Error('planted');
      const result = await healthy.at(key, command);
      if (++used === commands) throw new Error('planted');
      return result;
    },
  };
  return { store, used: () => used };
}

const made = (user: string) => redis.zrange(userRoomsKey(user), '0', '-1');

/** An existing room must be in the lists of both users. */
async function assertListed(): Promise<void> {
  for (const key of await redis.keys('*:meta'))
    for (const user of ['mina', 'jun'])
      assert.deepEqual((await redis.hkeys(userRoomListKey(user))).map(roomMetaKey), [key]);
}

async function assertComplete(room: string): Promise<void> {
  assert.match(room, /^d-[0-9a-f]{32}$/);
  assert.deepEqual(await redis.hgetall(roomRolesKey(room)), { mina: 'member', jun: 'member' });
  assert.equal(await redis.hget(roomMetaKey(room), 'visibility'), 'direct');
  for (const user of ['mina', 'jun']) assert.deepEqual(await redis.hkeys(userRoomListKey(user)), [room]);
  // No other room exists.
  assert.deepEqual(await redis.keys('*:meta'), [roomMetaKey(room)]);
}

test('both users get the same room, and it counts only once', async () => {
  const node = nodeOn(healthy);
  const opened = await node.open('mina', 'jun');
  assert.deepEqual(opened, { room: opened.room, title: '', visibility: 'direct', role: 'member' });
  for (let count = 0; count < 5; count++) {
    assert.deepEqual(await node.open('jun', 'mina'), opened);
    assert.deepEqual(await nodeOn(healthy).open('mina', 'jun'), opened);
  }
  await assertComplete(opened.room);
  assert.deepEqual([await made('mina'), await made('jun'), charges], [[opened.room], [], 1]);
  await assert.rejects(node.open('mina', 'mina'), { code: 'invalid' });
});

test('users with similar ids have separate rooms', async () => {
  const node = nodeOn(healthy);
  const pairs: Array<[string, string]> = [
    ['a', 'b,c'],
    ['a,b', 'c'],
    ['a","b', 'c'],
  ];
  const rooms = await Promise.all(pairs.map(([one, other]) => node.open(one, other)));
  assert.equal(new Set(rooms.map(({ room }) => room)).size, 3);
});

test('concurrent calls of both users on two nodes create one room', async () => {
  const nodes = [nodeOn(healthy), nodeOn(healthy)] as const;
  const calls = Array.from({ length: 50 }, (_, index) =>
    index % 2 === 0 ? nodes[0].open('mina', 'jun') : nodes[1].open('jun', 'mina'),
  );
  const [first, ...others] = await Promise.all(calls);
  assert(first !== undefined);
  for (const other of others) assert.deepEqual(other, first);
  await assertComplete(first.room);
  // Claims of rooms that were not created are released in the background.
  await poll('one claim', async () => (await made('mina')).length + (await made('jun')).length === 1);
  assert.equal(charges, 1);
  assert.deepEqual(await nodes[1].open('mina', 'jun'), first);
});

test('a user at the limit of new rooms can open existing rooms, and stores nothing for new ones', async () => {
  const node = nodeOn(healthy);
  const { room } = await node.open('jun', 'mina');
  for (const other of ['a', 'b', 'c']) await node.open('mina', other);
  const keysBefore = (await redis.keys('*')).length;
  await assert.rejects(node.open('mina', 'd'), { code: 'rate_limited' });
  assert.equal((await redis.keys('*')).length, keysBefore);
  assert.equal((await node.open('mina', 'jun')).room, room);
});

test('a room that an administrator deleted is created again with the same id', async () => {
  const node = nodeOn(healthy);
  const { room } = await node.open('mina', 'jun');
  const epoch = Number.parseInt((await redis.hget(roomMetaKey(room), 'epoch')) ?? '', 10);
  assert.equal(await deleteRoom(healthy, room, ''), 'deleted');
  assert.equal((await node.open('jun', 'mina')).room, room);
  await assertComplete(room);
  assert(Number.parseInt((await redis.hget(roomMetaKey(room), 'epoch')) ?? '', 10) > epoch + 1);
});

describe('after a crash behind any command', () => {
  for (const next of ['mina', 'jun'] as const)
    test(`the next call, of ${next}, completes the room`, async () => {
      for (let commands = 1; ; commands++) {
        assert(commands < 30);
        await redis.flushall();
        const crashing = crashAfter(commands);
        const crashed = await nodeOn(crashing.store)
          .open('mina', 'jun')
          .then(
            ({ room }) => room,
            (error: { code: string }) => error.code,
          );
        if (crashing.used() < commands) {
          assert(commands > 6, `the whole needs ${commands - 1} commands`);
          break;
        }
        assert.equal(crashed, 'unavailable', `after ${commands} commands`);
        await assertListed();
        const { room } = await nodeOn(healthy).open(next, next === 'mina' ? 'jun' : 'mina');
        await assertComplete(room);
        assert.equal((await nodeOn(healthy).open('mina', 'jun')).room, room);
      }
    });
});
