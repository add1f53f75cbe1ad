/** A Redis with Sentinels, and logs like those of gateways, for sentinel.test.ts. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, openRedis, type RedisStore, waitUntilReady } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startRedisSentinel, type TestRedis, type TestRedisSentinel } from '@maru/service-kit/testing';
import { createRedisRoomLog } from '../../services/gateway/src/log/redis-room-log.ts';
import type { RoomLog } from '../../services/gateway/src/log/room-log.ts';
import { createSeenPositions } from '../../services/gateway/src/log/seen-positions.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const closers: Array<() => Promise<void>> = [];

export let sentinel: TestRedisSentinel;

export async function startSentinel(): Promise<void> {
  sentinel = await startRedisSentinel({ appendOnly: 'always' });
}

export async function stopSentinel(): Promise<void> {
  await Promise.all(closers.map((close) => close()));
  await sentinel?.stop();
}

export interface OwnLog extends RoomLog {
  appendStore: RedisStore;
  untilReady(waitMs: number): Promise<boolean>;
}

/** The log of one gateway, with its own connections. */
export async function startLog(waitReplicas: number): Promise<OwnLog> {
  const log = openLog(waitReplicas);
  assert.ok(await log.untilReady(15_000), 'Sentinel names a primary');
  return log;
}

/** The same without waiting for the primary. */
export function openLog(waitReplicas: number): OwnLog {
  const source = openRedis(sentinel.url, { node: 'n', logger });
  const appendStore = source.open('append', undefined);
  const readStore = source.open('read', 800);
  closers.push(async () => {
    await Promise.all([appendStore.close(), readStore.close()]);
    source.close();
  });
  const log = createRedisRoomLog({
    appendStore,
    readStore,
    seen: createSeenPositions({ roomsMax: 100 }),
    retention: { entriesMin: 10_000, entriesMax: 20_000, ageMs: 3_600_000, emptyRoomTtlMs: 60_000, archive: false },
    deadlineMs: 800,
    waitReplicas,
    onRefused: () => {},
    now: () => performance.now(),
  });
  return {
    ...log,
    appendStore,
    untilReady: async (waitMs) => (await appendStore.untilReady(waitMs)) && readStore.untilReady(waitMs),
  };
}

export interface Acknowledged {
  id: string;
  seq: number;
}

/** Resolves when the replica has the room too. */
export async function createRoom(room: string): Promise<void> {
  const log = await startLog(1);
  await log.read(room, 'node', { mode: 'none' }, { create: true });
  const acknowledged: Acknowledged[] = [];
  await send({ log, room, name: 'first', acknowledged, isOver: () => acknowledged.length > 0 });
}

export const messageOf = (room: string, userId: string, clientMsgId: string) => {
  return { room, userId, userName: userId, clientMsgId, text: clientMsgId, mayStore: true };
};

/**
 * Sends messages one at a time and repeats each until it is acknowledged. Returns the number of
 * refusals.
 */
export async function send(options: {
  log: RoomLog;
  room: string;
  name: string;
  acknowledged: Acknowledged[];
  isOver: () => boolean;
}): Promise<number> {
  const { log, room, name, acknowledged, isOver } = options;
  let refused = 0;
  for (let i = 0; !isOver(); ) {
    const id = `${name}-${i}`;
    try {
      const result = await log.append(messageOf(room, name, id));
      assert.ok('seq' in result);
      acknowledged.push({ id, seq: result.seq });
      i++;
    } catch (error) {
      if ((error as { code?: string }).code !== 'unavailable') throw error;
      refused++;
    }
    await pause(10);
  }
  return refused;
}

/** Subscribes to all Sentinels, to learn of the next promotion. */
export async function watchPromotion(): Promise<{ isPromoted(waitMs: number): Promise<boolean> }> {
  const promoted = Promise.withResolvers<true>();
  await Promise.all(
    sentinel.sentinelUrls.map(async (at) => {
      const redis = connectRedis({ url: at, deadlineMs: 2_000 }, { purpose: 'watch', node: 'n', logger });
      closers.push(async () => redis.disconnect());
      assert.ok(await waitUntilReady(redis, 5_000));
      redis.on('message', () => promoted.resolve(true));
      await redis.subscribe('+promoted-slave');
    }),
  );
  return { isPromoted: (waitMs) => Promise.race([promoted.promise, pause(waitMs, false)]) };
}

/** Resolves with the primary and its replica. Earlier tests may have exchanged their roles. */
export async function untilPaired(): Promise<[TestRedis, TestRedis]> {
  const { primary, replica } = sentinel;
  const roles = async () => `${await role(primary)} ${await role(replica)}`;
  await until('a primary and its replica', async () => /^(master slave|slave master)$/.test(await roles()));
  return (await role(primary)) === 'master' ? [primary, replica] : [replica, primary];
}

/** The messages of a room with their seqs. */
export async function historyOf(log: RoomLog, room: string): Promise<Map<string, number>> {
  const history = new Map<string, number>();
  for (let after = 0; ; ) {
    const page = await readWithRetries(log, room, after);
    for (const entry of page.entries) {
      const { text } = JSON.parse(`{${entry.tail}}`);
      assert.equal(entry.seq, after + 1);
      assert.ok(!history.has(text), `${text} is stored twice`);
      history.set(text, entry.seq);
      after = entry.seq;
    }
    if (page.entries.length === 0) return history;
  }
}

/** Retries while the connection for reads moves to the new primary. */
export async function readWithRetries(log: RoomLog, room: string, after: number) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await log.read(room, 'node', { mode: 'after', seq: after, limit: 200 });
    } catch (error) {
      if (attempt >= 100 || (error as { code?: string }).code !== 'unavailable') throw error;
      await pause(100);
    }
  }
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`no ${what} within 30 s`);
    await pause(100);
  }
}

export async function ask<T>(
  server: TestRedis,
  question: (redis: ReturnType<typeof connectRedis>) => Promise<T>,
): Promise<T> {
  const redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'ask', node: 'n', logger });
  try {
    assert.ok(await waitUntilReady(redis, 5_000));
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** A server that changes its role closes its connections, which can fail this question. */
export const role = (server: TestRedis): Promise<string> =>
  ask(server, (redis) => redis.call('ROLE')).then(
    (answer) => String((answer as unknown[])[0]),
    () => 'unknown',
  );
