import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger } from '@maru/service-kit';
import { startTestRedis } from '@maru/service-kit/testing';
import { readGatewayConfig } from '../config.ts';
import { createStore } from './store.ts';

function storeOn(redisUrl: string) {
  return createStore({
    config: readGatewayConfig({
      MARU_NODE: 'n',
      MARU_REDIS_URL: redisUrl,
      MARU_PRESENCE_URL: 'http://127.0.0.1:1',
      MARU_INTERNAL_SECRET: 'x'.repeat(64),
      MARU_JWT_SECRET: 'y'.repeat(64),
    }),
    logger: createLogger({ service: 'test', node: 'n', level: 'silent' }),
    onMalformed: () => assert.fail('malformed'),
    onBatch() {},
    onCall() {},
    now: () => performance.now(),
  });
}

for (const healthFirst of [true, false]) {
  test(`the commands of a tick leave in one write, ${healthFirst ? 'the time first' : 'a heartbeat first'}`, async (t) => {
    const server = await startTestRedis();
    t.after(() => server.stop());
    const store = storeOn(server.url);
    const { connections, ticker, health, subscriber, ephemeralSubscriber } = store;
    t.after(() => store.close());
    assert.ok(await connections.control.untilReady(10_000));
    const parts = [health, subscriber, ephemeralSubscriber];
    for (const part of healthFirst ? parts : parts.reverse()) {
      part.start(ticker);
      t.after(() => part.stop());
    }
    // What is asked at the start has left, too.
    do await pause(10);
    while (!subscriber.alive || !ephemeralSubscriber.alive);

    // One call of either is one system call.
    const commandsByWrite: number[] = [];
    const stream = connections.control.shards[0]?.redis.stream;
    assert.ok(stream?._writev);
    const [writeOne, writeMany] = [stream._write.bind(stream), stream._writev.bind(stream)];
    stream._write = (...args) => {
      commandsByWrite.push(1);
      writeOne(...args);
    };
    stream._writev = (chunks, done) => {
      commandsByWrite.push(chunks.length);
      writeMany(chunks, done);
    };
    while (commandsByWrite.length < 2) await pause(10);
    assert.deepEqual(commandsByWrite, [3, 3], 'the time, and a heartbeat for each subscriber');
  });
}

for (const shiftMs of [-3_600_000, 3_600_000]) {
  test(`expiries do not move if the node's clock is set ${shiftMs < 0 ? 'back' : 'ahead'}`, async (t) => {
    let movedMs = 0;
    const real = Date.now;
    t.mock.method(Date, 'now', () => real() + movedMs);
    const server = await startTestRedis();
    t.after(() => server.stop());
    const store = storeOn(server.url);
    t.after(() => store.close());
    const before = store.health.now();
    movedMs = shiftMs;
    assert.ok(Math.abs(store.health.now() - before) < 60_000);
  });
}
