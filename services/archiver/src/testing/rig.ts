/**
 * Redis and PostgreSQL for a test file, hot logs in the form in which gateways write them, and
 * reads of the archive.
 */
import { type Archive, migrateArchive, openArchive } from '@maru/archive-db';
import { startTestPostgres } from '@maru/archive-db/testing';
import { connectRedis, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis } from '@maru/service-kit/testing';
import { Registry } from 'prom-client';
import { createRoomArchive } from '../archive/room-archive.ts';
import { archiveKeys, roomErasedKey, roomLogKey, roomMetaKey } from '../keys.ts';
import { createMetrics } from '../metrics.ts';
import { createRoomQueue } from '../store/room-queue.ts';
import { createRoomStore } from '../store/room-store.ts';

export type Rig = Awaited<ReturnType<typeof startRig>>;

export const silent = createLogger({ service: 'archiver', node: 'test', level: process.env.LOG_LEVEL ?? 'silent' });

export async function startRig() {
  const [redisServer, postgres] = await Promise.all([startTestRedis(), startTestPostgres()]);
  await migrateArchive({ url: postgres.url, log: () => {} });
  const admin = connectRedis(
    { url: redisServer.url, deadlineMs: 5_000 },
    { purpose: 'test', node: 'n', logger: silent },
  );
  const redis = singleStore(admin);
  await redis.untilReady(5_000);
  const archive: Archive = openArchive({ url: postgres.url, poolMax: 4, deadlineMs: 5_000, onError: () => {} });
  const queue = createRoomQueue(redis, { claimMs: 30_000 });
  return {
    redisServer,
    postgres,
    admin,
    redis,
    archive,
    queue,
    store: createRoomStore(redis),
    rooms: createRoomArchive(archive, { deadlineMs: 5_000 }),
    metrics: createMetrics(new Registry()),
    logger: silent,
    rows: <Row extends object>(sql: string, values: unknown[] = []) => archive.read((tx) => tx.query<Row>(sql, values)),
    async reset() {
      await admin.flushall();
      await archive.write((tx) => tx.query('TRUNCATE rooms, entries, messages, reactions, set_aside'));
    },
    async stop() {
      await Promise.all([redis.close(), archive.close()]);
      await Promise.all([redisServer.stop(), postgres.stop()]);
    },
  };
}

const entryOf = (seq: number, text: string) => ({
  head: `"n":${seq},"type":"text","from":{"id":"mina","name":"Mina"},"clientMsgId":"c-${seq}"`,
  tail: `"text":${JSON.stringify(text)}`,
});

/** Appends messages like a gateway, and adds a hint. */
export async function say(rig: Rig, room: string, count: number, options: { hint?: boolean; text?: string } = {}) {
  const key = roomLogKey(room);
  await rig.admin.hsetnx(roomMetaKey(room), 'epoch', '1.a');
  const [last] = await rig.admin.xrevrange(key, '+', '-', 'COUNT', 1);
  const head = last === undefined ? 0 : Number.parseInt(last[0], 10);
  const pipeline = rig.admin.pipeline();
  for (let seq = head + 1; seq <= head + count; seq++) {
    const { head: entryHead, tail } = entryOf(seq, options.text ?? `message ${seq}`);
    const ts = Date.now();
    pipeline.xadd(key, `${seq}-0`, 'u', 'mina', 'c', `c-${seq}`, 't', ts, 'h', entryHead, 'x', tail);
  }
  if (options.hint !== false) pipeline.zadd(archiveKeys.dirty, 'NX', Date.now(), room);
  await pipeline.exec();
  return head + count;
}

/** Erases a message like a deletion. */
export async function erase(rig: Rig, room: string, seq: number) {
  const { head } = entryOf(seq, '');
  await rig.admin.hset(roomErasedKey(room), seq, `mina\nc-${seq}\n1000\n\n${head}\n"erased":true`);
  await rig.admin.hsetnx(roomMetaKey(room), 'first', '1');
  await rig.admin.xdel(roomLogKey(room), `${seq}-0`);
}

/** Trims like a gateway. */
export async function trimTo(rig: Rig, room: string, first: number) {
  await rig.admin.hset(roomMetaKey(room), 'first', first);
  await rig.admin.xtrim(roomLogKey(room), 'MINID', `${first}-0`);
}

/** Rolls the log back to an earlier head, and opens an epoch like gateways. */
export async function rollBackTo(rig: Rig, room: string, head: number, epoch?: string) {
  const key = roomLogKey(room);
  const kept = await rig.admin.xrange(key, '-', `${head}-0`);
  // After a removal, a stream does not accept lower ids.
  await rig.admin.del(key);
  for (const [id, fields] of kept) await rig.admin.xadd(key, id, ...fields);
  if (epoch !== undefined) await rig.admin.hset(roomMetaKey(room), 'epoch', epoch, 'base', head);
}

export const archivedSeqs = async (rig: Rig, room: string): Promise<number[]> =>
  (await rig.rows<{ seq: number }>('SELECT seq FROM entries WHERE room = $1 ORDER BY seq', [room])).map(
    ({ seq }) => seq,
  );

export const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

export const marksOf = (rig: Rig, room: string) => rig.admin.hmget(roomMetaKey(room), 'archived', 'archivedFrom');
