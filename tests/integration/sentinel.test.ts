/** The room log on Redis Sentinel: the primary is killed, hangs, wakes when it has been replaced. Real processes on free ports. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, openRedis, type RedisStore, waitUntilReady } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { findFreePort, findRedisBinary, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createRedisRoomLog } from '../../services/gateway/src/log/redis-room-log.ts';
import type { RoomLog } from '../../services/gateway/src/log/room-log.ts';
import { createSeenPositions } from '../../services/gateway/src/log/seen-positions.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const directory = mkdtempSync(join(tmpdir(), 'maru-sentinel-'));
const sentinels: ChildProcess[] = [];
const sentinelUrls: string[] = [];
const closers: Array<() => Promise<void>> = [];
/** Sentinels demote an old primary some ten seconds after it woke. It has to be left long before. */
const LEFT_WITHIN_MS = 4_000;
let primary: TestRedis;
let replica: TestRedis;
let url: string;

before(async () => {
  primary = await startTestRedis({ appendOnly: 'always', settings: { 'repl-diskless-sync-delay': '0' } });
  replica = await startTestRedis({
    appendOnly: 'always',
    settings: { replicaof: `127.0.0.1 ${primary.port}`, 'repl-diskless-sync-delay': '0' },
  });
  for (let i = 0; i < 3; i++) {
    const port = await findFreePort();
    sentinelUrls.push(`redis://127.0.0.1:${port}`);
    const file = join(directory, `sentinel-${i}.conf`);
    writeFileSync(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${directory}`,
        `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
        'sentinel down-after-milliseconds main 700',
        'sentinel failover-timeout main 5000',
      ].join('\n'),
    );
    sentinels.push(spawn(findRedisBinary(), [file, '--sentinel'], { stdio: 'ignore' }));
  }
  url = `redis+sentinel://${sentinelUrls.map((at) => new URL(at).host).join(',')}/main`;
});

after(async () => {
  await Promise.all(closers.map((close) => close()));
  for (const sentinel of sentinels) sentinel.kill('SIGKILL');
  await Promise.all([primary.stop(), replica.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

interface OwnLog extends RoomLog {
  appendStore: RedisStore;
  untilReady(waitMs: number): Promise<boolean>;
}

/** The log as one gateway has it, with connections of its own. */
async function startLog(waitReplicas: number): Promise<OwnLog> {
  const log = openLog(waitReplicas);
  assert.ok(await log.untilReady(15_000), 'Sentinel names a primary');
  return log;
}

/** The same, without waiting for the primary. */
function openLog(waitReplicas: number): OwnLog {
  const source = openRedis(url, { node: 'n', logger });
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
    retention: { entriesMin: 10_000, entriesMax: 20_000, ageMs: 3_600_000, emptyRoomTtlMs: 60_000 },
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

test('what was acknowledged after a replica had it survives the death of the primary, once and in order', async () => {
  const log = await startLog(1);
  const room = 'failover';
  await log.read(room, 'node', { mode: 'none' }, { create: true });
  const acknowledged: Acknowledged[] = [];
  let stop = false;
  const senders = ['a', 'b', 'c'].map((name) => send({ log, room, name, acknowledged, isOver: () => stop }));
  try {
    await until('acknowledgements once the replica follows', () => acknowledged.length >= 50);
    await primary.kill('SIGKILL');
    const atKill = acknowledged.length;
    let hasEnded = false;
    log.appendStore.shards[0]?.redis.once('end', () => {
      hasEnded = true;
    });
    await until('the promotion of the replica', async () => (await role(replica)) === 'master');
    // Without any replica no message may be acknowledged; the old primary comes back as one (Sentinel would say so too, only later).
    await primary.restart();
    await until('the old primary to follow', () =>
      ask(primary, (redis) => redis.call('REPLICAOF', '127.0.0.1', String(replica.port))).then(
        () => true,
        () => false,
      ),
    );
    await until('acknowledgements after the failover', () => acknowledged.length >= atKill + 20);
    assert.ok(hasEnded, 'the connection to the old primary is known to be gone for good');
  } finally {
    stop = true;
  }
  assert.ok(Math.max(...(await Promise.all(senders))) > 0, 'the failover was felt');

  const history = await historyOf(log, room);
  for (const { id, seq } of acknowledged) assert.equal(history.get(id), seq, `${id} was acknowledged`);
});

test('a primary that hangs for good is left once a replica has its place', async () => {
  const [sleeper, successor] = await untilPaired();
  const room = 'hung';
  await createRoom(room);
  const log = await startLog(0);
  await sleeper.kill('SIGSTOP');
  try {
    assert.equal(await role(successor), 'slave');
    await until('the promotion of the replica', async () => (await role(successor)) === 'master');
    let clientMsgId = 0;
    await until('an acknowledgement while the old primary still hangs', () =>
      log.append(messageOf(room, 'u', `m-${clientMsgId++}`)).then(
        () => true,
        () => false,
      ),
    );
    await readPatiently(log, room, 0);
  } finally {
    await sleeper.kill('SIGCONT');
  }
});

test('a primary that wakes just as its replica is promoted is left at once, and nothing that it took is acknowledged', async () => {
  const room = 'woken';
  const [sleeper, successor] = await untilPaired();
  await createRoom(room);
  const promotion = await hearPromotion();
  let stop = false;
  const gateways: Acknowledged[][] = [];
  const senders: Array<Promise<number>> = [];
  await sleeper.kill('SIGSTOP');
  try {
    do {
      // Whoever connects to one that hangs is let in by its kernel, and served as soon as it wakes.
      const acknowledged: Acknowledged[] = [];
      const name = `gateway-${gateways.push(acknowledged)}`;
      senders.push(send({ log: openLog(0), room, name, acknowledged, isOver: () => stop }));
    } while (!(await promotion.isPromoted(300)));
  } finally {
    await sleeper.kill('SIGCONT');
  }
  assert.equal(await role(successor), 'master');
  await pause(LEFT_WITHIN_MS);
  stop = true;
  await Promise.all(senders);
  await until('the old primary to follow', async () => (await role(sleeper)) === 'slave');

  const history = await historyOf(await startLog(0), room);
  const lost = gateways.flat().filter(({ id, seq }) => history.get(id) !== seq);
  assert.equal(lost.length, 0, `${lost.length} acknowledged messages are lost`);
  assert.ok(!gateways.some(({ length }) => length === 0), 'everybody goes on with the new primary');
});

test('a primary that was told not to write without its replicas is unavailable, and no more than that', async () => {
  const [alone] = await untilPaired();
  const room = 'alone';
  await createRoom(room);
  const log = await startLog(0);
  const append = () => log.append(messageOf(room, 'u', 'm')).catch((error) => error);
  await ask(alone, (redis) => redis.call('CONFIG', 'SET', 'min-replicas-to-write', '2'));
  try {
    const refusal = await append();
    assert.equal(refusal.code, 'unavailable');
    assert.match(String(refusal.cause), /NOREPLICAS/);
  } finally {
    await ask(alone, (redis) => redis.call('CONFIG', 'SET', 'min-replicas-to-write', '0'));
  }
  assert.equal((await append()).outcome, 'stored');
});

interface Acknowledged {
  id: string;
  seq: number;
}

/** Resolves once the replica has the room, too. */
async function createRoom(room: string): Promise<void> {
  const log = await startLog(1);
  await log.read(room, 'node', { mode: 'none' }, { create: true });
  const acknowledged: Acknowledged[] = [];
  await send({ log, room, name: 'first', acknowledged, isOver: () => acknowledged.length > 0 });
}

const messageOf = (room: string, userId: string, clientMsgId: string) => {
  return { room, userId, userName: userId, clientMsgId, text: clientMsgId, mayStore: true };
};

/** One message after the other, each again until it is acknowledged, as a client does. Resolves with the number of refusals. */
async function send(options: {
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

/** Resolves once every Sentinel is listened to. */
async function hearPromotion(): Promise<{ isPromoted(waitMs: number): Promise<boolean> }> {
  const heard = Promise.withResolvers<true>();
  await Promise.all(
    sentinelUrls.map(async (at) => {
      const redis = connectRedis({ url: at, deadlineMs: 2_000 }, { purpose: 'hear', node: 'n', logger });
      closers.push(async () => redis.disconnect());
      assert.ok(await waitUntilReady(redis, 5_000));
      redis.on('message', () => heard.resolve(true));
      await redis.subscribe('+promoted-slave');
    }),
  );
  return { isPromoted: (waitMs) => Promise.race([heard.promise, pause(waitMs, false)]) };
}

/** Resolves with the primary and its replica, whichever of the two is which after the tests before. */
async function untilPaired(): Promise<[TestRedis, TestRedis]> {
  const roles = async () => `${await role(primary)} ${await role(replica)}`;
  await until('a primary and its replica', async () => /^(master slave|slave master)$/.test(await roles()));
  return (await role(primary)) === 'master' ? [primary, replica] : [replica, primary];
}

/** Every message of the room with its seq. */
async function historyOf(log: RoomLog, room: string): Promise<Map<string, number>> {
  const history = new Map<string, number>();
  for (let after = 0; ; ) {
    const page = await readPatiently(log, room, after);
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

/** The reading connection may still be on its way to the new primary. */
async function readPatiently(log: RoomLog, room: string, after: number) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await log.read(room, 'node', { mode: 'after', seq: after, limit: 200 });
    } catch (error) {
      if (attempt >= 100 || (error as { code?: string }).code !== 'unavailable') throw error;
      await pause(100);
    }
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`no ${what} within 30 s`);
    await pause(100);
  }
}

async function ask<T>(server: TestRedis, question: (redis: ReturnType<typeof connectRedis>) => Promise<T>): Promise<T> {
  const redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'ask', node: 'n', logger });
  try {
    assert.ok(await waitUntilReady(redis, 5_000));
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** A Sentinel that gives a server another role cuts its connections, the one that asks among them. */
const role = (server: TestRedis): Promise<string> =>
  ask(server, (redis) => redis.call('ROLE')).then(
    (answer) => String((answer as unknown[])[0]),
    () => 'not to be asked',
  );
