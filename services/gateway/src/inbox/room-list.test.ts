/** Lists of rooms in a real Redis: what a repair may remove, and what it must keep. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { LIMITS } from '@maru/protocol';
import { connectRedis, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import { roomRolesKey, userRoomListKey } from '../keys.ts';
import { createRedisRoomList } from './redis-room-list.ts';
import type { RoomList } from './room-list.ts';

const ROOM = 'p-tea';
const KEY = userRoomListKey('mina');
const OLD_MS = 61_000;

let server: TestRedis;
let redis: Redis;
let list: RoomList;
let nowMs = 1_000;
let failures: unknown[] = [];

before(async () => {
  server = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'n', logger });
  assert(await singleStore(redis).untilReady(10_000));
});
after(async () => {
  redis?.disconnect();
  await server?.stop();
});
beforeEach(async () => {
  await redis.flushall();
  failures = [];
  list = createRedisRoomList({
    store: singleStore(redis),
    now: () => nowMs,
    onFailed: (error) => failures.push(error),
  });
});

/** Ages the entry, as if the room had been listed earlier. */
async function age(room: string, byMs = OLD_MS): Promise<void> {
  const [ms, ...rest] = ((await redis.hget(KEY, room)) as string).split(' ');
  await redis.hset(KEY, room, [Number(ms) - byMs, ...rest].join(' '));
}
const rooms = async () => (await list.read('mina')).map(({ room }) => room);

test("a list is sorted, and keeps the user's settings when a room is listed again", async () => {
  await list.add('mina', 'p-b');
  await list.set('mina', 'tea', 'follow', 'none');
  await list.set('mina', 'p-b', 'member', 'mentions');
  await list.add('mina', 'p-b');
  assert.deepEqual(
    (await list.read('mina')).map(({ room, as, notify }) => [room, as, notify]),
    [
      ['p-b', 'member', 'mentions'],
      ['tea', 'follow', 'none'],
    ],
  );
  await list.unfollow('mina', 'tea');
  assert.deepEqual(await rooms(), ['p-b']);
  assert.deepEqual(await list.read('jun'), []);
});

describe('a membership that fails', () => {
  test('leaves no trace', async () => {
    (await list.add('mina', ROOM)).undo();
    await poll('the undoing', async () => (await rooms()).length === 0);
  });

  test('leaves the room in the list if it was listed before, or again since', async () => {
    const first = await list.add('mina', ROOM);
    const second = await list.add('mina', ROOM);
    first.undo();
    second.undo();
    await redis.ping();
    assert.deepEqual(await rooms(), [ROOM]);
    assert.deepEqual(failures, []);
  });
});

describe('a repair', () => {
  test('removes a settled room, and keeps one that was just listed', async () => {
    await list.add('mina', 'p-old');
    await list.add('mina', 'p-new');
    await age('p-old');
    await list.repair('mina', await list.read('mina'));
    assert.deepEqual(await rooms(), ['p-new']);
  });

  test('keeps a room that was listed again after the list was read', async () => {
    await list.add('mina', ROOM);
    await age(ROOM);
    const seen = await list.read('mina');
    await list.add('mina', ROOM);
    await list.repair('mina', seen);
    assert.deepEqual(await rooms(), [ROOM]);
  });

  test('a value is never reused, even if the clock stands still', async () => {
    await list.add('mina', ROOM);
    await age(ROOM, -OLD_MS);
    const [seen] = await list.read('mina');
    await list.add('mina', ROOM);
    assert.notEqual((await list.read('mina'))[0]?.stamp, seen?.stamp);
  });
});

describe('the end of a membership', () => {
  test('removes the room', async () => {
    await list.add('mina', ROOM);
    await age(ROOM);
    await list.remove('mina', ROOM);
    assert.deepEqual(await rooms(), []);
  });

  test('keeps the room if the user is a member again, or is about to be', async () => {
    await list.add('mina', ROOM);
    await age(ROOM);
    await redis.hset(roomRolesKey(ROOM), 'mina', 'member');
    await list.remove('mina', ROOM);
    assert.deepEqual(await rooms(), [ROOM]);
    await redis.del(roomRolesKey(ROOM));
    await list.add('mina', ROOM);
    await list.remove('mina', ROOM);
    assert.deepEqual(await rooms(), [ROOM]);
  });
});

test('a slow second write lists the room again, so no repair removes it', async () => {
  const listing = await list.add('mina', ROOM);
  await age(ROOM);
  listing.settle();
  await redis.ping();
  assert.equal((await list.read('mina'))[0]?.isSettled, true);
  nowMs += 20_000;
  listing.settle();
  await poll('the listing', async () => (await list.read('mina'))[0]?.isSettled === false);
});

test('a member who enters a room is listed once, and an existing entry stays unchanged', async () => {
  list.ensure('mina', ROOM);
  await poll('the listing', async () => (await rooms()).length === 1);
  const before = await redis.hget(KEY, ROOM);
  nowMs += 4_000_000;
  list.ensure('mina', ROOM);
  await redis.ping();
  assert.equal(await redis.hget(KEY, ROOM), before);
  await redis.del(KEY);
  list.ensure('mina', ROOM);
  await redis.ping();
  assert.deepEqual(await rooms(), [], 'the node has looked a moment ago');
});

test('a full list refuses a new room, but accepts rooms that it contains', async () => {
  const full = Array.from({ length: LIMITS.roomsPerUserMax }, (_, index) => [`p-${index}`, '1 member all']);
  await redis.hset(KEY, ...full.flat());
  await assert.rejects(list.add('mina', ROOM), { code: 'conflict' });
  await list.add('mina', 'p-7');
  assert.equal(await redis.hlen(KEY), LIMITS.roomsPerUserMax);
});
