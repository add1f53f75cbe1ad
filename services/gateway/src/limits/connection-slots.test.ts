/** Connections of a user on several nodes, on a real Redis. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createTicker } from '../cluster/ticker.ts';
import { userConnectionsKey } from '../keys.ts';
import { ConnectionSlots, FREE_CONNECTIONS } from './connection-slots.ts';

const MAX = 12;
const TTL_MS = 1_500;
const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

let redis: TestRedis;
let store: RedisStore;
let calls = 0;

before(async () => {
  redis = await startTestRedis();
  store = singleStore(connectRedis({ url: redis.url, deadlineMs: 800 }, { purpose: 'test', node: 'n', logger }));
  assert.ok(await store.untilReady(5_000));
});
after(async () => {
  await store.close();
  await redis.stop();
});

/** A node with a variable number of connections of one user. */
function node(name: string, userId: string, shared = store) {
  let connections = 0;
  const slots = new ConnectionSlots({
    store: {
      ...shared,
      at: (key, command) => {
        calls++;
        return shared.at(key, command);
      },
    },
    node: name,
    max: MAX,
    ttlMs: TTL_MS,
    connectionsOf: () => connections,
    now: () => performance.now(),
  });
  const connect = async () => {
    const transport = {};
    if (!(await slots.reserve(transport, userId))) return false;
    assert.equal(slots.use(transport), true);
    connections++;
    return true;
  };
  return {
    slots,
    get connections() {
      return connections;
    },
    /** Returns how many of `count` simultaneous attempts were accepted. */
    connect: async (count: number) =>
      (await Promise.all(Array.from({ length: count }, connect))).filter(Boolean).length,
    close(count: number) {
      for (let i = 0; i < count; i++) {
        connections--;
        slots.released(userId);
      }
    },
  };
}
const claims = (userId: string) =>
  store.at(userConnectionsKey(userId), (client) => client.hgetall(userConnectionsKey(userId)));

test('the first few connections on a node need no call of the store', async () => {
  const one = node('a', 'few');
  calls = 0;
  assert.equal(await one.connect(FREE_CONNECTIONS), FREE_CONNECTIONS);
  one.close(FREE_CONNECTIONS);
  assert.equal(calls, 0);
});

test('nodes together accept the maximum, and the free ones of a node without a claim', async () => {
  const [one, two, three] = [node('a', 'many'), node('b', 'many'), node('c', 'many')];
  assert.equal(await one.connect(40), MAX);
  assert.equal(await two.connect(40), FREE_CONNECTIONS);
  assert.deepEqual(Object.keys(await claims('many')), ['a']);
  // Slots that one node releases are available to another.
  one.close(5);
  await poll('the release', async () => (await claims('many')).a?.startsWith('7 ') === true);
  assert.equal(await three.connect(FREE_CONNECTIONS + 4), FREE_CONNECTIONS);
  one.close(2);
  await poll('the second release', async () => Object.keys(await claims('many')).length === 0);
  assert.equal(await three.connect(4), 4);
  three.close(9);
  await poll('no claim', async () => Object.keys(await claims('many')).length === 0);
});

test('a transport that ends before its session releases its slot', async () => {
  const one = node('a', 'half-open');
  assert.equal(await one.connect(MAX - 1), MAX - 1);
  const transport = {};
  assert.equal(await one.slots.reserve(transport, 'half-open'), true);
  assert.equal(await one.connect(1), 0);
  one.slots.cancel(transport);
  one.slots.cancel(transport);
  assert.equal(one.slots.use(transport), false);
  assert.equal(await one.connect(2), 1);
});

test('a connection that replaces another one is claimed too', async () => {
  const one = node('a', 'replaced');
  assert.equal(await one.connect(FREE_CONNECTIONS + 1), FREE_CONNECTIONS + 1);
  one.close(1);
  assert.equal(await one.connect(1), 1);
  assert.ok((await claims('replaced')).a?.startsWith(`${FREE_CONNECTIONS + 1} `));
});

test('a claim is repeated while its connections last, and that of a dead node expires', async (t) => {
  const [alive, dead, other] = [node('a', 'lasting'), node('b', 'lasting'), node('c', 'lasting')];
  t.after(alive.slots.start(createTicker({ periodMs: 500, logger, now: () => performance.now() })));
  assert.equal(await alive.connect(6), 6);
  assert.equal(await dead.connect(6), 6);
  assert.equal(await other.connect(7), FREE_CONNECTIONS);
  await pause(TTL_MS + 100);
  assert.equal(await other.connect(7), 1);
  assert.deepEqual(Object.keys(await claims('lasting')).sort(), ['a', 'c']);
});

test('existing connections are claimed even above the maximum, for example after the store lost them', async () => {
  const [one, two] = [node('a', 'lost'), node('b', 'lost')];
  assert.equal(await one.connect(MAX), MAX);
  await store.at('x', (client) => client.flushall());
  assert.equal(await two.connect(8), 8);
  one.slots.released('lost');
  await poll('the claim', async () => (await claims('lost')).a?.startsWith(`${MAX} `) === true);
  assert.equal(await two.connect(1), 0);
});

test('while the store does not answer, connections are accepted', async () => {
  const broken: RedisStore = { ...store, at: () => Promise.reject(new Error('no answer')) };
  assert.equal(await node('a', 'outage', broken).connect(30), 30);
});
