/** The service with a real Redis and a real PostgreSQL that fail. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findFreePort, poll, sleep } from '@maru/service-kit/testing';
import { archiveKeys, roomMetaKey } from './keys.ts';
import { archivedSeqs, marksOf, type Rig, say, startRig, upTo } from './testing/rig.ts';
import { startArchiver, type TestArchiver } from './testing/service.ts';

let rig: Rig;
const running: TestArchiver[] = [];
const children: ChildProcess[] = [];
before(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map(({ archiver }) => archiver.stop()));
});
after(() => rig.stop());

const start = async (more: Parameters<typeof startArchiver>[1] = {}): Promise<TestArchiver> => {
  const one = await startArchiver(rig, more);
  running.push(one);
  return one;
};
const untilArchived = (room: string, head: number) =>
  poll(`${room} to be archived`, async () => (await marksOf(rig, room))[0] === String(head), { timeoutMs: 15_000 });
const statusOf = async (port: number) => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;

test('entries are archived soon after a hint, and then the queue is empty', async () => {
  const { opsPort, metric } = await start();
  for (const room of upTo(100)) await say(rig, `r${room}`, 3);
  for (const room of upTo(100)) await untilArchived(`r${room}`, 3);
  await poll('it to be ready', async () => (await statusOf(opsPort)) === 200);
  await poll('the queue to be empty', async () => (await rig.queue.state()).rooms === 0);
  assert.equal(await metric('maru_archiver_entries_total'), 300);
});

test('a scan leaves rooms that are being imported alone', async () => {
  await rig.archive.write((tx) =>
    tx.query("INSERT INTO rooms (room, epoch, position, first, private) VALUES ('tea', '1.a', 20, 1, false)"),
  );
  await rig.admin.hset(roomMetaKey('tea'), { epoch: '1.a', base: 0, importing: 'a digest', closed: 1 });
  const { metric } = await start({ scanPeriodMs: 100 });
  await poll('two scans', async () => (await metric('maru_archiver_scans_total')) >= 2);
  assert.equal(await metric('maru_archiver_found_rooms_total'), 0);
  assert.equal(await metric('maru_archiver_stale_rooms_total'), 0);
});

test('a scan finds rooms without a hint: new ones, deleted ones, and those of a restored archive', async () => {
  await say(rig, 'tea', 10);
  await say(rig, 'gone', 10);
  const first = await start({ scanPeriodMs: 200 });
  await untilArchived('tea', 10);
  await untilArchived('gone', 10);
  await say(rig, 'milk', 5, { hint: false });
  await rig.admin.del('maru:{gone}:log', roomMetaKey('gone'));
  await rig.admin.hset(roomMetaKey('gone'), { epoch: '2.x', base: 0, deleted: 1, cleared: 2 });
  await rig.archive.write(async (tx) => {
    for (const table of ['entries', 'messages']) await tx.query(`DELETE FROM ${table} WHERE room = 'tea' AND seq > 4`);
    await tx.query("UPDATE rooms SET position = 4 WHERE room = 'tea'");
  });
  await untilArchived('milk', 5);
  await poll('the deletion', async () => (await archivedSeqs(rig, 'gone')).length === 0);
  await poll('the restored room', async () => (await archivedSeqs(rig, 'tea')).length === 10);
  assert.ok((await first.metric('maru_archiver_scans_total')) > 0);
  await poll('nothing to be left', async () => (await first.metric('maru_archiver_behind_entries')) === 0);
});

test('a full Redis is archived, and gateways are asked to trim it', async () => {
  await say(rig, 'full', 100);
  await rig.admin.config('SET', 'maxmemory', '1');
  try {
    const { metric } = await start({ scanPeriodMs: 200 });
    await untilArchived('full', 100);
    await poll('the question', async () => (await rig.admin.sismember(archiveKeys.trim, 'full')) === 1);
    await poll('a scan', async () => (await metric('maru_archiver_scans_total')) > 0);
    await poll('the queue to be empty', async () => (await rig.queue.state()).rooms === 0);
    assert.equal(await metric('maru_archiver_failures_total'), 0);
  } finally {
    await rig.admin.config('SET', 'maxmemory', '0');
  }
});

test('entries that PostgreSQL refuses delay only their room', async () => {
  const { metric } = await start();
  await say(rig, 'good', 5);
  // PostgreSQL cannot store this character. No gateway writes it.
  await rig.admin.xadd('maru:{bad}:log', '1-0', 'u', 'mina', 'c', 'c', 't', 1, 'h', '"n":1', 'x', '"text":"\u0000"');
  await rig.admin.hset(roomMetaKey('bad'), 'epoch', '1.a');
  await rig.admin.zadd(archiveKeys.dirty, 1, 'bad');
  await untilArchived('good', 5);
  await poll('the refusal', async () => (await metric('maru_archiver_refused_rooms_total')) > 0);
  await say(rig, 'good', 5);
  await untilArchived('good', 10);
  assert.deepEqual(await marksOf(rig, 'bad'), [null, null]);
});

test('nothing is lost while PostgreSQL is stopped, hangs, or is read-only', async () => {
  const { metric } = await start();
  await say(rig, 'tea', 10);
  await untilArchived('tea', 10);
  const faults: Array<[begin: () => unknown, end: () => unknown]> = [
    [() => rig.postgres.kill(), () => rig.postgres.restart()],
    [() => rig.postgres.pause(), () => rig.postgres.resume()],
    [() => setReadOnly('on'), () => setReadOnly('off')],
  ];
  let head = 10;
  for (const [begin, end] of faults) {
    await begin();
    const failures = await metric('maru_archiver_failures_total');
    head = await say(rig, 'tea', 20);
    await poll('a failure', async () => (await metric('maru_archiver_failures_total')) > failures);
    assert.deepEqual((await marksOf(rig, 'tea'))[0], String(head - 20));
    await end();
    await untilArchived('tea', head);
  }
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(head));
});

/** Applies to new connections, and ends existing ones. */
const setReadOnly = (value: 'on' | 'off') =>
  rig.archive.write(async (tx) => {
    await tx.query('SET TRANSACTION READ WRITE');
    const [database] = await tx.query<{ name: string }>('SELECT current_database() AS name');
    await tx.query(`ALTER DATABASE ${database?.name} SET default_transaction_read_only = ${value}`);
    await tx.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'maru-archiver'");
  });

test('an archiver starts without PostgreSQL, and migrates and works when it becomes available', async () => {
  await rig.postgres.kill();
  const { opsPort } = await start();
  await say(rig, 'tea', 3);
  assert.equal(await statusOf(opsPort), 503);
  await rig.postgres.restart();
  await untilArchived('tea', 3);
  await poll('it to be ready', async () => (await statusOf(opsPort)) === 200);
});

test('archivers that are killed at any time write each entry once', async () => {
  const seed = Number(process.env.MARU_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (MARU_TEST_SEED)`);
  let state = seed;
  const random = (max: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * max);
  };
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const launch = async () => {
    const environment = {
      PATH: process.env.PATH ?? '',
      ...{ MARU_NODE: 'archiver-1', MARU_OPS_PORT: String(await findFreePort()), MARU_LOG_LEVEL: 'fatal' },
      ...{ MARU_REDIS_URL: rig.redisServer.url, MARU_POSTGRES_URL: rig.postgres.url },
    };
    const child = spawn(process.execPath, [main], { env: environment, stdio: 'ignore' });
    children.push(child);
    return child;
  };
  const rooms = upTo(5).map((n) => `room-${n}`);
  const heads = new Map<string, number>();
  const victims = [await launch(), await launch()];
  for (let n = 0; n < 40; n++) {
    const room = rooms[random(rooms.length)] as string;
    heads.set(room, await say(rig, room, 1 + random(400)));
    await sleep(random(40));
    if (n === 15 || n === 30) victims.shift()?.kill('SIGKILL');
    if (n === 15) victims.push(await launch());
  }
  // The claims of the dead archivers have not ended. The test does not wait for 30 s.
  for (const room of rooms) await rig.admin.zadd(archiveKeys.claims, 'XX', 1, room);
  for (const [room, head] of heads) {
    await untilArchived(room, head);
    assert.deepEqual(await archivedSeqs(rig, room), upTo(head));
  }
  const last = victims.pop() as ChildProcess;
  last.kill('SIGTERM');
  const [code] = (await once(last, 'exit')) as [number];
  assert.equal(code, 0);
});
