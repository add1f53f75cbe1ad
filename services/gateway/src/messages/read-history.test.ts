import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectRedis, createLogger, singleStore } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import { createReadHistory } from './read-history.ts';
import { createRedisRoomLog } from './redis-room-log.ts';
import type { RoomLog } from './room-log.ts';
import { createSeenPositions } from './seen-positions.ts';

const ROOM = 'hall';
const LIMIT = 20;

let server: TestRedis;
let connections: Redis[];
let log: RoomLog;
let reads = 0;

before(async () => {
  server = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  connections = ['append', 'read'].map((purpose) =>
    connectRedis({ url: server.url, deadlineMs: undefined }, { purpose, node: 'n', logger }),
  );
  await Promise.all(connections.map((redis) => new Promise((resolve) => redis.once('ready', resolve))));
  const [append, read] = connections.map(singleStore);
  assert.ok(append !== undefined && read !== undefined);
  const stored = createRedisRoomLog({
    appendStore: append,
    readStore: read,
    seen: createSeenPositions({ roomsMax: 10 }),
    retention: { entriesMin: 1_000, entriesMax: 2_000, ageMs: 3_600_000, emptyRoomTtlMs: 60_000 },
    deadlineMs: 5_000,
    waitReplicas: 0,
    onRefused: () => {},
    now: () => performance.now(),
  });
  log = {
    append: stored.append,
    read(...asked) {
      reads++;
      return stored.read(...asked);
    },
  };
  await log.read(ROOM, { userId: 'mina' }, { mode: 'none' }, { create: true });
});

after(async () => {
  for (const redis of connections) redis.disconnect();
  await server.stop();
});

let messages = 0;
const say = () =>
  log.append({
    room: ROOM,
    userId: 'mina',
    userName: 'Mina',
    clientMsgId: `m${++messages}`,
    text: 'hello',
    mayStore: true,
  });

test('many who ask for the same page at once make two reads, and another page has its own', async () => {
  for (let count = 0; count < 5; count++) await say();
  const history = createReadHistory({ log });
  reads = 0;
  const newest = Array.from({ length: 40 }, (_, index) => history(`user-${index}`, { room: ROOM, limit: 3 }));
  const older = history('mina', { room: ROOM, before: 3, limit: 3 });
  for (const { data } of await Promise.all(newest)) {
    assert.deepEqual(
      data.messages.map(({ seq }) => seq),
      [3, 4, 5],
    );
    assert.equal(data.hasMore, true);
  }
  assert.deepEqual(
    (await older).data.messages.map(({ seq }) => seq),
    [1, 2],
  );
  assert.equal(reads, 3);
});

test('readers of a private room are looked at one by one', async () => {
  const history = createReadHistory({ log });
  reads = 0;
  const asked = ['mina', 'jun', 'sora'].map((user) => history(user, { room: 'p-secret', limit: 3 }));
  for (const answer of asked) await assert.rejects(answer, /no such room/);
  assert.equal(reads, 3);
});

test('whoever knows that a message is stored reads it, whatever others are reading', async () => {
  const history = createReadHistory({ log });
  const newest = async () => (await history('jun', { room: ROOM, limit: LIMIT })).data.messages.at(-1)?.seq ?? 0;
  let over = false;
  const others = Array.from({ length: 8 }, async () => {
    while (!over) await newest();
  });
  try {
    for (let count = 0; count < 300; count++) {
      const told = await say();
      assert.ok(told.outcome === 'stored');
      const seen = await newest();
      assert.ok(seen >= told.seq, `${told.seq} is stored, and the history ended at ${seen}`);
    }
  } finally {
    over = true;
    await Promise.all(others);
  }
});
