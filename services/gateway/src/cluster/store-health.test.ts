import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import { createStoreHealth } from './store-health.ts';
import { createTicker } from './ticker.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
let server: TestRedis;
let redis: Redis;

before(async () => {
  server = await startTestRedis();
  redis = connectRedis({ url: server.url, deadlineMs: 300 }, { purpose: 'health', node: 'n', logger });
  await new Promise((resolve) => redis.once('ready', resolve));
});
after(async () => {
  redis.disconnect();
  await server.stop();
});

const HEALTHY = { ready: true, silent: false };

function watch(other = HEALTHY, waitReplicas = 0) {
  const changes: boolean[] = [];
  const store = singleStore(redis);
  const health = createStoreHealth({
    store,
    node: 'n',
    connections: [
      ['control', store],
      ['read', other],
    ],
    waitReplicas,
    tickMs: 50,
    logger,
    localNow: () => Date.now() - 3_600_000,
  });
  health.onChange((degraded) => changes.push(degraded));
  health.start(createTicker({ periodMs: 50, logger, now: () => performance.now() }));
  const until = async (expected: boolean[]) => {
    for (let i = 0; i < 600 && changes.length < expected.length; i++) await pause(25);
    health.stop();
    assert.deepEqual(changes, expected);
  };
  return { health, changes, until };
}

test('a hanging store degrades the node, and an answer recovers it', async () => {
  const { until } = watch();
  await server.kill('SIGSTOP');
  setTimeout(() => void server.kill('SIGCONT'), 1_500);
  await until([true, false]);
});

test('a store that refuses messages degrades the node until a write succeeds', async () => {
  const { health, until } = watch();
  await redis.config('SET', 'maxmemory', '1');
  health.noteRefusal('OOM');
  setTimeout(() => void redis.config('SET', 'maxmemory', '0'), 500);
  await until([true, false]);
});

test('a store that is back but refuses writes does not recover the node', async () => {
  await redis.config('SET', 'maxmemory', '1');
  const { changes, until } = watch();
  await server.kill('SIGSTOP');
  while (changes.length === 0) await pause(25);
  await server.kill('SIGCONT');
  await pause(500);
  const beforeItTakesAny = [...changes];
  await redis.config('SET', 'maxmemory', '0');
  await until([true, false]);
  assert.deepEqual(beforeItTakesAny, [true]);
});

test('a node that needs a replica is degraded until there is one', async () => {
  const { health, until } = watch(HEALTHY, 1);
  health.noteRefusal('too few replicas');
  setTimeout(async () => {
    const replica = await startTestRedis({
      settings: { replicaof: `127.0.0.1 ${server.port}`, 'repl-diskless-sync-delay': '0' },
    });
    after(() => replica.stop());
  }, 500);
  await until([true, false]);
});

for (const fault of ['down', 'silent'])
  test(`a node with a connection that is ${fault} is degraded, even if the store answers`, async () => {
    const other = { ready: false, silent: fault === 'silent' };
    const { health, changes, until } = watch(other);
    setTimeout(() => Object.assign(other, HEALTHY), 300);
    while (changes.length === 0) await pause(10);
    assert.ok(health.degradedMs < 300, `${health.degradedMs} ms`);
    await pause(20);
    assert.ok(health.degradedMs >= 15, `${health.degradedMs} ms`);
    await until([true, false]);
    assert.equal(health.degradedMs, 0);
  });

test('one look at a silent connection suffices', async () => {
  const other = { ready: false, silent: true };
  const { changes, until } = watch(other);
  // The first check comes before the first tick.
  await pause(30);
  Object.assign(other, HEALTHY);
  assert.deepEqual(changes, [true]);
  await until([true, false]);
});

test("follows the store's clock if the node's clock is wrong", async () => {
  const { health } = watch();
  await pause(100);
  health.stop();
  assert.ok(Math.abs(health.now() - Date.now()) < 2_000);
});
