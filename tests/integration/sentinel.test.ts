/** The room log on Redis Sentinel: the primary is killed, a replica takes its place. Real processes on free ports. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, createLogger, singleStore, waitUntilReady } from '@maru/service-kit';
import { findFreePort, findRedisBinary, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createRedisRoomLog } from '../../services/gateway/src/messages/redis-room-log.ts';
import type { RoomLog } from '../../services/gateway/src/messages/room-log.ts';
import { createSeenPositions } from '../../services/gateway/src/messages/seen-positions.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const directory = mkdtempSync(join(tmpdir(), 'maru-sentinel-'));
const sentinels: ChildProcess[] = [];
const closers: Array<() => void> = [];
let primary: TestRedis;
let replica: TestRedis;
let url: string;

before(async () => {
  primary = await startTestRedis({ appendOnly: 'always', settings: { 'repl-diskless-sync-delay': '0' } });
  replica = await startTestRedis({
    appendOnly: 'always',
    settings: { replicaof: `127.0.0.1 ${primary.port}`, 'repl-diskless-sync-delay': '0' },
  });
  const ports: number[] = [];
  for (let i = 0; i < 3; i++) {
    const port = await findFreePort();
    ports.push(port);
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
  url = `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/main`;
});

after(async () => {
  for (const close of closers) close();
  for (const sentinel of sentinels) sentinel.kill('SIGKILL');
  await Promise.all([primary.stop(), replica.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

async function startLog(waitReplicas: number): Promise<RoomLog> {
  const [appendRedis, readRedis] = ['append', 'read'].map((purpose) => {
    const redis = connectRedis(
      { url, deadlineMs: purpose === 'read' ? 800 : undefined },
      { purpose, node: 'n', logger },
    );
    closers.push(() => redis.disconnect());
    return redis;
  }) as [ReturnType<typeof connectRedis>, ReturnType<typeof connectRedis>];
  assert.ok(
    (await waitUntilReady(appendRedis, 15_000)) && (await waitUntilReady(readRedis, 15_000)),
    'Sentinel names a primary',
  );
  return createRedisRoomLog({
    appendStore: singleStore(appendRedis),
    readStore: singleStore(readRedis),
    seen: createSeenPositions({ roomsMax: 100 }),
    retention: { entriesMin: 10_000, entriesMax: 20_000, ageMs: 3_600_000, emptyRoomTtlMs: 60_000 },
    deadlineMs: 800,
    waitReplicas,
    onRefused: () => {},
    now: () => performance.now(),
  });
}

test('what was acknowledged after a replica had it survives the death of the primary, once and in order', async () => {
  const log = await startLog(1);
  const room = 'failover';
  await log.read(room, 'node', { mode: 'none' }, { create: true });
  const acknowledged: Array<{ id: string; seq: number }> = [];
  let stop = false;
  let refused = 0;
  const sender = async (name: string) => {
    for (let i = 0; !stop; i++) {
      const clientMsgId = `${name}-${i}`;
      // As a client does: the same id again until it is acknowledged.
      while (!stop) {
        try {
          const result = await log.append({
            room,
            userId: name,
            userName: name,
            clientMsgId,
            text: clientMsgId,
            mayStore: true,
          });
          assert.ok('seq' in result);
          acknowledged.push({ id: clientMsgId, seq: result.seq });
          break;
        } catch (error) {
          if ((error as { code?: string }).code !== 'unavailable') throw error;
          refused++;
          await pause(50);
        }
      }
      await pause(2);
    }
  };
  const senders = ['a', 'b', 'c'].map(sender);
  try {
    await until('acknowledgements once the replica follows', () => acknowledged.length >= 50);
    await primary.kill('SIGKILL');
    const atKill = acknowledged.length;
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
  } finally {
    stop = true;
    await Promise.all(senders);
  }
  assert.ok(refused > 0, 'the failover was felt');

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
    if (page.entries.length === 0) break;
  }
  for (const { id, seq } of acknowledged) assert.equal(history.get(id), seq, `${id} was acknowledged`);
});

test('a primary that hangs for good is left once a replica has its place', async () => {
  const log = await startLog(0);
  const room = 'hung';
  await log.read(room, 'node', { mode: 'none' }, { create: true });
  // As the test before left them, if it ran.
  const roles = async () => `${await role(primary)} ${await role(replica)}`;
  await until('a primary and its replica', async () => /^(master slave|slave master)$/.test(await roles()));
  const [sleeper, successor] = (await role(primary)) === 'master' ? [primary, replica] : [replica, primary];
  await sleeper.kill('SIGSTOP');
  try {
    assert.equal(await role(successor), 'slave');
    await until('the promotion of the replica', async () => (await role(successor)) === 'master');
    let clientMsgId = 0;
    await until('an acknowledgement while the old primary still hangs', () =>
      log
        .append({ room, userId: 'u', userName: 'u', clientMsgId: `m-${clientMsgId++}`, text: 'x', mayStore: true })
        .then(
          () => true,
          () => false,
        ),
    );
    await readPatiently(log, room, 0);
  } finally {
    await sleeper.kill('SIGCONT');
  }
});

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
