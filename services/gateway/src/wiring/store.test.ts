import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '@maru/service-kit';
import { poll, startTcpProxy, startTestRedis, type TcpProxy, type TestRedis } from '@maru/service-kit/testing';
import { readGatewayConfig } from '../config.ts';
import { createStore, type Store } from './store.ts';

/** After a connection goes silent, everything works again within this time. */
const BOUND = { timeoutMs: 5_000 };
const KINDS = ['append', 'read', 'control', 'subscribe', 'signals-pub', 'signals-sub'];
/** Connections whose metric label differs from their name. */
const LABELS: Record<string, string> = { 'signals-pub': 'signalsPub', 'signals-sub': 'signalsSub' };
const CHANNEL = 'maru:{room}:live';

function storeOn(redisUrl: string, onSilent: (purpose: string) => void = () => {}): Store {
  return createStore({
    config: readGatewayConfig({
      MARU_NODE: 'n',
      MARU_REDIS_URL: redisUrl,
      MARU_PRESENCE_URL: 'http://127.0.0.1:1',
      MARU_INTERNAL_SECRET: 'one secret of at least 32 characters',
      MARU_JWT_SECRET: 'another secret of at least 32 characters',
    }),
    logger: createLogger({ service: 'test', node: 'n', level: 'silent' }),
    onMalformed: () => assert.fail('malformed'),
    onBatch() {},
    onLimited() {},
    onAuditFailed() {},
    onHintFailed() {},
    onCall() {},
    onSilent,
    now: () => performance.now(),
  });
}

describe('a node whose connection goes silent permanently', () => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let store: Store;
  const changes: boolean[] = [];
  const silent: string[] = [];
  const heard = new Set<string>();

  before(async () => {
    server = await startTestRedis();
    proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
    store = storeOn(`redis://127.0.0.1:${proxy.port}`, (purpose) => silent.push(purpose));
    const { connections, ticker, health, subscriber, ephemeralSubscriber } = store;
    for (const connection of Object.values(connections)) assert.ok(await connection.untilReady(10_000));
    for (const part of [health, subscriber, ephemeralSubscriber]) part.start(ticker);
    health.onChange((degraded) => changes.push(degraded));
    await store.log.read('room', 'node', { mode: 'none' }, { create: true });
    await subscriber.subscribe(CHANNEL, (payload) => heard.add(payload));
    await ephemeralSubscriber.subscribe(CHANNEL, (payload) => heard.add(payload));
  });
  after(async () => {
    for (const part of [store.health, store.subscriber, store.ephemeralSubscriber]) part.stop();
    await store.close();
    await proxy.close();
    await server.stop();
  });

  /** Checks a typical request of each kind. */
  const works = async (name: string): Promise<boolean> => {
    const { log, quota, connections, subscriber, ephemeralSubscriber } = store;
    await log.append({ room: 'room', userId: 'u', userName: 'U', clientMsgId: name, text: 'x', mayStore: true });
    await log.read('room', 'node', { mode: 'newest', limit: 1 });
    // A new user, so that no quota is leased yet.
    await quota.take(randomUUID(), 1);
    await connections.ephemeralPub.at(CHANNEL, (redis) => redis.spublish(CHANNEL, name));
    return subscriber.isAlive(CHANNEL) && ephemeralSubscriber.isAlive(CHANNEL);
  };

  for (const kind of KINDS)
    test(`${kind}: it is degraded, closes that connection only, and recovers`, async () => {
      const openedBefore = new Map(proxy.opened());
      changes.length = 0;
      silent.length = 0;
      assert.equal(proxy.silence([kind]), 1);
      await poll('degraded', () => changes[0] === true, BOUND);
      // The same message each time.
      const attempt = () => works(kind).catch(() => false);
      await poll('everything to work', async () => (await attempt()) && !store.health.degraded, BOUND);
      for (const other of KINDS)
        assert.equal(proxy.opened().get(`n:${other}`), (openedBefore.get(`n:${other}`) ?? 0) + Number(other === kind));
      assert.deepEqual(changes, [true, false]);
      assert.deepEqual(silent, [LABELS[kind] ?? kind]);
      const { entries } = await store.log.read('room', 'node', { mode: 'newest', limit: 100 });
      assert.equal(entries.length, KINDS.indexOf(kind) + 1, 'each message is stored once');
      await poll('it to be heard', () => heard.has(kind));
    });
});

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
