import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createPresence, type Presence } from '@maru/presence';
import { createLogger } from '@maru/service-kit';
import { findFreePort, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { presenceChannel } from '../../services/gateway/src/keys.ts';
import { createPresenceClient } from '../../services/gateway/src/presence/presence-client.ts';
import {
  createTestSubscriber,
  eventually,
  type TestNode,
  user,
  Viewer,
} from '../../services/gateway/src/presence/testing/rig.ts';

const SECRET = 'a-secret-for-tests-only-0123456789abcdef';
const GRACE_MS = 600;
const LEASE_MS = 1_500;
/** A gateway waits 750 ms for a read; a slow machine gets four times as long. */
const ANSWER_WITHIN_MS = 3_000;
const logger = createLogger({ service: 'gateway', node: 'gw', level: process.env.LOG_LEVEL ?? 'silent' });
describe('presence client against the real service', () => {
  let redis: TestRedis;
  let admin: Redis;
  let service: Presence;
  let listenPort: number;
  const nodes: TestNode[] = [];

  const startService = async () => {
    service = createPresence({
      logger,
      registry: new Registry(),
      settings: {
        node: 'presence-1',
        host: '127.0.0.1',
        listenPort,
        opsPort: 0,
        redisUrl: redis.url,
        internalSecret: SECRET,
        logLevel: 'silent',
        storeDeadlineMs: 800,
        leaveGraceMs: GRACE_MS,
        diffMs: 50,
        leaseMs: LEASE_MS,
        sweepMs: 100,
        // Longer than a gateway's longest pause between two tries, as with the defaults.
        sweepHoldMs: 2_500,
      },
    });
    await service.start();
  };

  const startNode = async (name: string, timing = {}): Promise<TestNode> => {
    const subscriber = createTestSubscriber(redis.url);
    const port = createPresenceClient({
      node: name,
      baseUrl: `http://127.0.0.1:${listenPort}`,
      secret: SECRET,
      subscriber,
      logger,
      registry: new Registry(),
      timing: { batchMs: 20, beatMs: 400, statusBatchMs: 40, auditMs: 200, auditPatienceMs: 50, ...timing },
    });
    await port.start();
    const node: TestNode = { port, subscriber };
    nodes.push(node);
    return node;
  };

  const shown = async (node: TestNode, room: string): Promise<string> => {
    const { users } = await node.port.snapshot(room);
    return (users ?? [])
      .map(({ id }) => id)
      .sort()
      .join();
  };

  const watch = async (node: TestNode, room: string): Promise<Viewer> => {
    const viewer = new Viewer();
    await node.port.watch(room, viewer.take);
    viewer.open(await node.port.snapshot(room));
    return viewer;
  };

  before(async () => {
    redis = await startTestRedis({ appendOnly: 'everysec' });
    admin = new Redis(redis.url, { protocol: 2, retryStrategy: () => 50 });
    admin.on('error', () => {});
  });
  after(async () => {
    admin.disconnect();
    await redis.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
    listenPort = await findFreePort();
    await startService();
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) {
      await node.port.stop();
      node.subscriber.close();
    }
    await service.stop();
  });

  it('shows users of both nodes to watchers on both', async () => {
    const [a, b] = [await startNode('gw-a'), await startNode('gw-b')];
    const viewers = [await watch(a, 'lobby'), await watch(b, 'lobby')];
    a.port.enter('lobby', user('u1'));
    b.port.enter('lobby', user('u2'));
    await eventually(() => viewers.every(({ ids }) => ids === 'u1,u2'), 'both are seen on both');
    assert.equal(await shown(a, 'lobby'), 'u1,u2');
    assert.deepEqual(await b.port.counts(['lobby', 'empty']), { lobby: 2, empty: 0 });
    b.port.leave('lobby', 'u2');
    await eventually(() => viewers.every(({ ids, count }) => ids === 'u1' && count === 1), 'the leave is seen on both');
  });

  it('does not flicker when a node leaves and its users come back elsewhere', async () => {
    const [a, b] = [await startNode('gw-a'), await startNode('gw-b')];
    for (let i = 0; i < 50; i++) a.port.enter('lobby', user(`u${i}`));
    await eventually(async () => (await b.port.snapshot('lobby')).count === 50, 'all are there');
    const viewer = await watch(b, 'lobby');
    await a.port.stop();
    for (let i = 0; i < 49; i++) b.port.enter('lobby', user(`u${i}`));
    await eventually(() => viewer.count === 49, 'only the one that did not come back is gone');
    assert.deepEqual(
      viewer.diffs.flatMap(({ joins, leaves, updates }) => [...joins, ...leaves, ...updates].map(({ id }) => id)),
      ['u49'],
    );
  });

  it('brings a status to every room and node', async () => {
    const [a, b] = [await startNode('gw-a'), await startNode('gw-b')];
    a.port.enter('lobby', user('u1'));
    b.port.enter('den', user('u1'));
    const viewers = [await watch(b, 'lobby'), await watch(a, 'den')];
    a.port.setStatus('u1', 'dnd', 'busy');
    await eventually(() => viewers.every(({ users }) => users.get('u1') === 'dnd'), 'dnd everywhere');
    b.port.setStatus('u1', 'invisible');
    await eventually(() => viewers.every(({ count }) => count === 0), 'gone everywhere');
  });

  it('heals after the store was flushed, statuses included', async () => {
    const [a, b] = [await startNode('gw-a'), await startNode('gw-b')];
    a.port.enter('lobby', user('u1'));
    a.port.setStatus('u1', 'away');
    b.port.enter('lobby', user('u2'));
    const viewer = await watch(b, 'lobby');
    await eventually(() => viewer.ids === 'u1,u2' && viewer.users.get('u1') === 'away', 'seen');
    await admin.flushall();
    await eventually(async () => {
      const keys = await admin.keys('*');
      return keys.length > 0 && (await shown(a, 'lobby')) === 'u1,u2';
    }, 'healed');
    await eventually(() => viewer.ids === 'u1,u2' && viewer.users.get('u1') === 'away', 'and seen');
  });

  it('works on while the service is down, and heals when it is back', async () => {
    const a = await startNode('gw-a', { freshMs: 300 });
    const b = await startNode('gw-b');
    a.port.enter('lobby', user('u1'));
    a.port.enter('lobby', user('u2'));
    const viewer = await watch(b, 'lobby');
    await eventually(() => viewer.ids === 'u1,u2', 'seen');
    await service.stop();
    a.port.leave('lobby', 'u1');
    a.port.enter('lobby', user('u3'));
    const start = performance.now();
    await assert.rejects(a.port.snapshot('den'), { code: 'unavailable' });
    await assert.rejects(a.port.counts(['lobby']), { code: 'unavailable' });
    const tookMs = performance.now() - start;
    assert.ok(tookMs < 2 * ANSWER_WITHIN_MS, `two refusals took ${tookMs} ms`);
    await sleep(LEASE_MS + 200);
    await assert.rejects(b.port.snapshot('other'), { code: 'unavailable' });
    const seen = viewer.diffs.length;
    await startService();
    await eventually(() => viewer.ids === 'u2,u3', 'healed', 6_000);
    const told = viewer.diffs.slice(seen).flatMap(({ leaves }) => leaves.map(({ id }) => id));
    assert.deepEqual(told, ['u1'], 'nobody else flickered');
  });

  it('heals after the store was killed and is back', async () => {
    const a = await startNode('gw-a');
    a.port.enter('lobby', user('u1'));
    const viewer = await watch(a, 'lobby');
    await eventually(() => viewer.ids === 'u1', 'seen');
    await redis.kill();
    a.port.enter('lobby', user('u2'));
    await sleep(1_000);
    await redis.restart();
    // The test's subscriber resubscribes by itself; the gateway's tells so.
    await sleep(300);
    a.subscriber.announceResubscribed();
    await eventually(() => viewer.ids === 'u1,u2', 'healed', 6_000);
  });

  it('refuses within its deadline while the store hangs', async () => {
    const a = await startNode('gw-a', { freshMs: 0 });
    await watch(a, 'lobby');
    await redis.kill('SIGSTOP');
    try {
      for (const room of ['lobby', 'den']) {
        const start = performance.now();
        void a.port.watch(room, () => {});
        await assert.rejects(a.port.snapshot(room), { code: 'unavailable' });
        const tookMs = performance.now() - start;
        assert.ok(tookMs < ANSWER_WITHIN_MS, `the refusal took ${tookMs} ms`);
      }
    } finally {
      await redis.kill('SIGCONT');
    }
    await eventually(async () => (await a.port.snapshot('den').catch(() => undefined)) !== undefined, 'healed');
  });

  it('is not believed after it was stopped for long, and tells its state anew when it wakes', async () => {
    const a = await startNode('gw-a');
    a.port.enter('lobby', user('u1'));
    const viewer = await watch(a, 'lobby');
    await eventually(() => viewer.ids === 'u1', 'seen');
    await service.stop();
    const [opsPort, env] = [await findFreePort(), { ...process.env }];
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('../../services/presence/src/main.ts'))], {
      stdio: 'ignore',
      env: {
        ...env,
        MARU_NODE: 'presence-2',
        MARU_LISTEN_PORT: String(listenPort),
        MARU_OPS_PORT: String(opsPort),
        MARU_REDIS_URL: redis.url,
        MARU_INTERNAL_SECRET: SECRET,
        MARU_PRESENCE_LEASE_MS: String(LEASE_MS),
        MARU_PRESENCE_LEAVE_GRACE_MS: String(GRACE_MS),
        MARU_PRESENCE_SWEEP_MS: '100',
        MARU_PRESENCE_SWEEP_HOLD_MS: '0',
      },
    });
    try {
      const answers = async (url: string) => (await fetch(url).catch(() => undefined))?.ok === true;
      await eventually(() => answers(`http://127.0.0.1:${opsPort}/readyz`), 'it runs');
      await eventually(async () => (await a.port.snapshot('lobby').catch(() => undefined)) !== undefined, 'it answers');
      const expirations = async (): Promise<string> => {
        const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
        return /^maru_presence_lease_expirations_total (\d+)$/m.exec(metrics)?.[1] ?? '';
      };
      // Nothing of this process runs for so long: the same as SIGSTOP for the client.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LEASE_MS + GRACE_MS + 1_000);
      assert.equal(await expirations(), '1');
      await eventually(() => viewer.diffs.some(({ leaves }) => leaves.length > 0), 'it hears that it was given up');
      await eventually(() => viewer.ids === 'u1', 'healed');
      await eventually(async () => (await shown(a, 'lobby')) === 'u1', 'and so it stays');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('notices a lost last difference without further traffic', async () => {
    const a = await startNode('gw-a');
    const viewer = await watch(a, 'lobby');
    a.subscriber.isDeaf = true;
    a.port.enter('lobby', user('u1'));
    await eventually(() => viewer.ids === 'u1', 'the audit finds it');
  });

  it('compares all watched rooms after a resubscription', async () => {
    const a = await startNode('gw-a', { auditMs: 60_000 });
    const viewers = await Promise.all(Array.from({ length: 250 }, (_, index) => watch(a, `room-${index}`)));
    a.subscriber.isDeaf = true;
    for (let index = 0; index < 250; index++) a.port.enter(`room-${index}`, user('u1'));
    await eventually(async () => Object.values(await a.port.counts(['room-0', 'room-249'])).join() === '1,1', 'stored');
    a.subscriber.isDeaf = false;
    a.subscriber.announceResubscribed();
    await eventually(() => viewers.every(({ ids }) => ids === 'u1'), 'all are right');
  });

  it('subscribes while it watches and not a moment longer', async () => {
    const a = await startNode('gw-a');
    const watching = a.port.watch('lobby', () => {});
    a.port.unwatch('lobby');
    await a.port.watch('lobby', () => {});
    await watching;
    assert.deepEqual([...a.subscriber.channels], [presenceChannel('lobby')]);
    a.port.unwatch('lobby');
    await eventually(() => a.subscriber.channels.size === 0, 'unsubscribed');
  });

  it('tells its whole state when the queue ran over', async () => {
    const a = await startNode('gw-a');
    await a.port.snapshot('lobby');
    await service.stop();
    for (let index = 0; index < 30_000; index++) a.port.enter(`room-${index % 300}`, user(`u${index}`));
    await startService();
    await eventually(async () => (await a.port.counts(['room-7']))['room-7'] === 100, 'all are told', 20_000);
  });
});
