/**
 * Measures how fast one archiver copies: entries a second, and its CPU time.
 *
 *   node services/archiver/src/testing/throughput.ts
 *
 * It starts Redis, a PostgreSQL that writes to disk as in production, and the archiver as a
 * process.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { migrateArchive } from '@maru/archive-db';
import { startTestPostgres, type TestPostgres } from '@maru/archive-db/testing';
import { findFreePort, poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { archiveKeys, roomLogKey, roomMetaKey } from '../keys.ts';

const LOADS = [
  { name: 'one room', rooms: 1, entriesPerRoom: 100_000 },
  { name: '1,000 rooms', rooms: 1_000, entriesPerRoom: 100 },
  { name: '20,000 rooms', rooms: 20_000, entriesPerRoom: 1 },
];
/** About 80 characters, as in a chat. */
const WORDS = 'the archive keeps every message of a room so that people can scroll back and search'.split(' ');
const FILL_ROOMS = 200;

const textOf = (seq: number) => Array.from({ length: 14 }, (_, n) => WORDS[(seq * 7 + n * n) % WORDS.length]).join(' ');

async function fill(url: string, rooms: number, entriesPerRoom: number): Promise<void> {
  const redis = new Redis(url, { protocol: 2 });
  for (let start = 0; start < rooms; start += FILL_ROOMS) {
    const pipeline = redis.pipeline();
    for (let room = start; room < Math.min(rooms, start + FILL_ROOMS); room++) {
      const name = `room-${room}`;
      pipeline.hset(roomMetaKey(name), 'epoch', '1.a', 'base', 0, 'visibility', 'public');
      for (let seq = 1; seq <= entriesPerRoom; seq++) {
        const head = `"n":${seq},"type":"text","from":{"id":"user-${seq % 50}","name":"User"},"clientMsgId":"c-${seq}"`;
        const fields = ['u', `user-${seq % 50}`, 'c', `c-${seq}`, 't', Date.now(), 'h', head, 'x'];
        pipeline.xadd(roomLogKey(name), `${seq}-0`, ...fields, `"text":${JSON.stringify(textOf(seq))}`);
      }
      pipeline.zadd(archiveKeys.dirty, Date.now(), name);
    }
    await pipeline.exec();
  }
  redis.disconnect();
}

const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and its live children. */
function cpuSecondsOf(pid: number): number {
  const list = execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  const pids = [pid, ...list.trim().split('\n').map(Number)];
  const ticks = pids.map((one) => {
    // The fields from the third on, after the name, which may contain spaces.
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

async function scrape(port: number, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  const text = (await response?.text()) ?? '';
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}

async function measure(redis: TestRedis, postgres: TestPostgres, { name, rooms, entriesPerRoom }: (typeof LOADS)[0]) {
  const opsPort = await findFreePort();
  const postgresUrl = await postgres.createDatabase();
  await migrateArchive({ url: postgresUrl, log: () => {} });
  await fill(redis.url, rooms, entriesPerRoom);
  const environment = {
    PATH: process.env.PATH ?? '',
    ...{ MARU_NODE: 'archiver-1', MARU_OPS_PORT: String(opsPort), MARU_REDIS_URL: redis.url },
    ...{ MARU_POSTGRES_URL: postgresUrl, MARU_ARCHIVER_SCAN_PERIOD_MS: '86400000', MARU_LOG_LEVEL: 'warn' },
  };
  const postgresBefore = cpuSecondsOf(postgres.pid);
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [main], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const total = rooms * entriesPerRoom;
  const entries = () => scrape(opsPort, 'maru_archiver_entries_total');
  await poll('the first entries', async () => (await entries()) > 0, { timeoutMs: 60_000 });
  const first = {
    at: performance.now(),
    entries: await entries(),
    cpu: await scrape(opsPort, 'process_cpu_seconds_total'),
  };
  await poll('all entries', async () => (await entries()) >= total, { timeoutMs: 300_000, everyMs: 100 });
  const seconds = (performance.now() - first.at) / 1_000;
  const cpu = (await scrape(opsPort, 'process_cpu_seconds_total')) - first.cpu;
  const postgresCpu = cpuSecondsOf(postgres.pid) - postgresBefore;
  child.kill('SIGKILL');
  const copied = total - first.entries;
  return {
    load: name,
    entries: total,
    'entries/s': Math.round(copied / seconds),
    'entries per CPU second of the archiver': Math.round(copied / cpu),
    'of PostgreSQL': Math.round(total / postgresCpu),
  };
}

const postgres = await startTestPostgres({ durable: true });
try {
  const results = [];
  for (const load of LOADS) {
    const redis = await startTestRedis();
    results.push(await measure(redis, postgres, load));
    await redis.stop();
  }
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}`);
  console.table(results);
} finally {
  await postgres.stop();
}
