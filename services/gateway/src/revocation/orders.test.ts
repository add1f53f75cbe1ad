import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openRedis, type RedisStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createTicker } from '../cluster/ticker.ts';
import { ordersKey, revocationsKey } from '../keys.ts';
import { createOrders, giveOrderScript, type Order, oneAtATime } from './orders.ts';
import { RevokedUsers } from './revoked-users.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const now = () => performance.now();

let server: TestRedis;
let source: ReturnType<typeof openRedis>;
let store: RedisStore;
before(async () => {
  server = await startTestRedis({ appendOnly: 'always' });
  source = openRedis(server.url, { node: 'n', logger, onSilent() {} });
  store = source.open('control', 2_000);
  assert(await store.untilReady(10_000));
});
after(async () => {
  await store.close();
  source.close();
  await server.stop();
});

/** A node. Its signals are lost unless the test calls `signal`. */
function node(usersMax = 1_000) {
  const users = new RevokedUsers({ max: usersMax });
  const given: Order[] = [];
  let loads = 0;
  let signal = () => {};
  const subscriber = {
    want: (_: string, handler: (payload: string) => void) => {
      signal = () => handler('1');
    },
  };
  const orders = createOrders({ store, subscriber, users, waitReplicas: 0, tickMs: 500, logger, now });
  orders.onOrders((list) => void given.push(...list));
  orders.onLoaded(() => void loads++);
  return { orders, users, given, loads: () => loads, signal: () => signal() };
}

test('the script declares its keys and arguments', () => {
  assert.deepEqual(giveOrderScript.keys, ['revocations', 'orders', 'channel']);
  assert.deepEqual(giveOrderScript.args, ['kind', 'target', 'revocationsMax', 'ordersMax']);
});

test('without signals, orders reach a node with its next tick, and a later node with the set', async (t) => {
  const [giver, other] = [node(), node()];
  await other.orders.poll();
  assert.deepEqual([other.orders.loaded, other.loads()], [true, 1]);
  other.orders.start(createTicker({ periodMs: 500, logger, now }));
  t.after(() => other.orders.stop());
  await other.orders.poll();
  const { atMs } = await giver.orders.give('revoke', 'mallory');
  await giver.orders.give('disconnect', 'mina');
  assert.equal(other.users.at('mallory'), undefined);
  await poll('both orders', () => other.given.length === 2, { timeoutMs: 1_500 });
  assert.deepEqual(
    other.given.map(({ kind, target }) => [kind, target]),
    [
      ['revoke', 'mallory'],
      ['disconnect', 'mina'],
    ],
  );
  assert.deepEqual([other.users.at('mallory'), other.users.at('mina'), other.loads()], [atMs, undefined, 1]);
  const late = node();
  assert.equal(late.orders.loaded, false);
  await late.orders.poll();
  assert.deepEqual([late.users.at('mallory'), late.given], [atMs, []]);
});

test('a signal is enough, before the next tick', async (t) => {
  const [giver, other] = [node(), node()];
  other.orders.start({ join: () => () => {} });
  t.after(() => other.orders.stop());
  await poll('the set', () => other.orders.loaded);
  await giver.orders.give('revoke', 'signalled');
  other.signal();
  await poll('the order', () => other.given.length === 1);
});

test('many orders at once arrive, and a node that missed some reads the whole set', async () => {
  const [giver, other] = [node(), node()];
  await other.orders.poll();
  await Promise.all(Array.from({ length: 700 }, (_, n) => giver.orders.give('revoke', `many-${n}`)));
  await other.orders.poll();
  assert.equal(other.loads(), 2);
  assert.ok(Array.from({ length: 700 }, (_, n) => other.users.at(`many-${n}`)).every((atMs) => atMs !== undefined));
  // The stream is lost, or trimmed beyond what the node has read.
  await giver.orders.give('revoke', 'unseen');
  await store.at(ordersKey(), (redis) => redis.del(ordersKey()));
  await other.orders.poll();
  assert.deepEqual([other.loads(), other.users.at('unseen') !== undefined], [3, true]);
});

test("the time of a revocation never goes back, although the store's clock may", async () => {
  const { orders } = node();
  const aheadMs = Date.now() + 3_600_000;
  await store.at(revocationsKey(), (redis) => redis.zadd(revocationsKey(), aheadMs, 'ahead'));
  assert.equal((await orders.give('revoke', 'ahead')).atMs, aheadMs);
});

test('a read that started before the call does not count, and all calls during it share the next one', async () => {
  const ends: Array<() => void> = [];
  const call = oneAtATime(() => new Promise<void>((resolve) => void ends.push(resolve)));
  const done: string[] = [];
  const first = call().then(() => done.push('first'));
  const others = [call(), call()].map((called) => called.then(() => done.push('other')));
  assert.equal(ends.length, 1);
  ends[0]?.();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([done, ends.length], [['first'], 2]);
  ends[1]?.();
  await Promise.all(others);
  assert.deepEqual([done, ends.length], [['first', 'other', 'other'], 2]);
});

test('without the store, an order is refused, and the age of the last read grows', async () => {
  const { orders, users } = node();
  await orders.poll();
  const known = users.size;
  await server.kill();
  await assert.rejects(orders.give('revoke', 'x'), { code: 'unavailable' });
  await assert.rejects(orders.poll());
  const ageMs = orders.silentMs;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(orders.silentMs > ageMs);
  await server.restart();
  assert(await store.untilReady(10_000));
  await orders.poll();
  assert.ok(orders.silentMs < 2_000);
  assert.deepEqual([users.size, orders.loaded], [known, true]);
});
