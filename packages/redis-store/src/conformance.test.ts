/** One suite for all kinds of Redis: each of them must keep the promises of `store.ts`. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLogger } from '@maru/service-kit';
import {
  poll,
  slotOf,
  startRedisCluster,
  startRedisSentinel,
  startTcpProxy,
  startTestRedis,
  type TcpProxy,
} from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { openRedis, type RedisSource } from './open.ts';
import { loadScript, runScript } from './scripts.ts';
import type { RedisStore, Shard } from './store.ts';

const DEADLINE_MS = 800;
const READY_TIMEOUT_MS = 15_000;
/** A silent connection works again within this time. */
const SILENCE_BOUND_MS = 5_000;
const INCREMENT = loadScript(new URL('./testing/increment.lua', import.meta.url));
const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });

interface Environment {
  url: string;
  shards: number;
  /** Proxies in front of all servers. */
  proxies: TcpProxy[];
  /** Moves the slot of a key to another shard. Absent if there is only one. */
  moveSlotOf?: (key: string) => Promise<void>;
  stop(): Promise<void>;
}

async function startCluster(): Promise<Environment> {
  const cluster = await startRedisCluster({ proxied: true });
  return {
    url: cluster.url,
    shards: 3,
    proxies: cluster.proxies,
    stop: cluster.stop,
    async moveSlotOf(key) {
      const owner = await cluster.primaryOf(key);
      const other = (await cluster.primaries()).find((node) => node !== owner);
      assert.ok(other !== undefined);
      await cluster.moveSlot(slotOf(key), other);
    },
  };
}

async function startOneServer(): Promise<Environment> {
  const server = await startTestRedis();
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
  return {
    url: `redis://127.0.0.1:${proxy.port}`,
    shards: 1,
    proxies: [proxy],
    async stop() {
      await proxy.close();
      await server.stop();
    },
  };
}

const ENVIRONMENTS: Record<string, () => Promise<Environment>> = {
  'one server': startOneServer,
  Sentinel: async () => ({ ...(await startRedisSentinel({ proxied: true })), shards: 1 }),
  Cluster: startCluster,
};

interface Subject {
  readonly environment: Environment;
  readonly source: RedisSource;
  readonly store: RedisStore;
  get(key: string): Promise<string | null>;
  shardOf(key: string): Shard;
}

/** Registers the hooks that open a store before the tests of a `describe`. */
function useStore(start: () => Promise<Environment>): Subject {
  let environment: Environment;
  let source: RedisSource;
  let store: RedisStore;
  before(async () => {
    environment = await start();
    source = openRedis(environment.url, { node: 'n', logger });
    store = source.open('test', DEADLINE_MS);
    assert.equal(await store.untilReady(READY_TIMEOUT_MS), true);
  });
  after(async () => {
    await store.close();
    source.close();
    await environment.stop();
  });
  return {
    get environment() {
      return environment;
    },
    get source() {
      return source;
    },
    get store() {
      return store;
    },
    get: (key) => store.at(key, (redis) => redis.get(key)),
    shardOf(key) {
      const shard = store.shardOf(key);
      assert.ok(shard !== undefined, `${key} has an owner`);
      return shard;
    },
  };
}

/** Runs `work` with a second connection to the server of a shard. */
async function withAdmin(shard: Shard, work: (admin: Redis) => Promise<unknown>): Promise<void> {
  const { port } = shard.redis.options;
  const admin = new Redis({ port: Number(port), host: '127.0.0.1', protocol: 2 });
  try {
    await work(admin);
  } finally {
    admin.disconnect();
  }
}

function placesKeys(subject: Subject): void {
  it('has a connection to each shard when it is ready', () => {
    const { store, environment } = subject;
    assert.equal(store.shards.length, environment.shards);
    const seen: Shard[] = [];
    store.onShard((shard) => seen.push(shard));
    assert.deepEqual(seen, store.shards);
  });

  it('finds the shard of every key, and keeps the keys of a hash tag together', () => {
    const { store } = subject;
    for (const key of ['{a}:1', '{b}:1', '{c}:1', '{d}:1']) {
      assert.equal(store.slotOf(key), store.slotOf(key.replace(':1', ':2')));
      assert.equal(store.ownerOf(store.slotOf(key)), subject.shardOf(key));
    }
    for (const shard of store.shards) {
      const tag = store.tagOn(shard);
      assert.ok(tag !== undefined);
      assert.equal(subject.shardOf(`k:{${tag}}`), shard);
    }
  });

  it('runs scripts on every shard, also after SCRIPT FLUSH', async () => {
    const { store } = subject;
    for (const shard of store.shards) {
      const key = `maru:{${store.tagOn(shard)}}:n`;
      assert.equal(await runScript(store, INCREMENT, [key], [2]), 2);
      await shard.redis.script('FLUSH');
      assert.equal(await runScript(store, INCREMENT, [key], [3]), 5);
      assert.equal(await subject.get(key), '5');
    }
  });

  it('delivers sharded messages to a subscriber of the shard', async () => {
    const channel = 'maru:{room}:live';
    const subscriber = subject.source.open('subscribe', undefined);
    assert.equal(await subscriber.untilReady(READY_TIMEOUT_MS), true);
    const shard = subscriber.shardOf(channel);
    assert.ok(shard !== undefined);
    const received = new Promise((resolve) => shard.redis.once('smessage', (_, payload) => resolve(payload)));
    await shard.redis.ssubscribe(channel);
    await subject.store.at(channel, (redis) => redis.spublish(channel, 'hello'));
    assert.equal(await received, 'hello');
    await subscriber.close();
  });

  it('sends a command to the new owner after its slot moved', async () => {
    const { environment, store } = subject;
    const key = 'maru:{moved}:k';
    await store.at(key, (redis) => redis.set(key, '1'));
    const before = subject.shardOf(key);
    await environment.moveSlotOf?.(key);
    assert.equal(await subject.get(key), '1');
    assert.equal(subject.shardOf(key) !== before, environment.moveSlotOf !== undefined);
  });
}

function survivesFailures(subject: Subject): void {
  it('is not ready within the given time when the server is missing', async () => {
    const missing = openRedis('redis://127.0.0.1:1', { node: 'n', logger });
    const store = missing.open('test', DEADLINE_MS);
    assert.equal(await store.untilReady(100), false);
    await assert.rejects(store.at('k', (redis) => redis.get('k')));
    await store.close();
    missing.close();
  });

  it('rejects a call at its deadline', async () => {
    await withAdmin(subject.shardOf('held'), async (admin) => {
      await admin.call('CLIENT', 'PAUSE', '1500', 'ALL');
      const startedAt = performance.now();
      await assert.rejects(subject.get('held'));
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs > DEADLINE_MS / 2 && tookMs < 1_400, `${tookMs} ms`);
    });
    await poll('the shard to answer again', async () => (await subject.get('held').catch(() => undefined)) === null);
  });

  it('rejects commands in flight when the connection breaks, and reconnects', async () => {
    // Without a deadline, only the end of the connection rejects the command.
    const store = subject.source.open('killed', undefined);
    assert.equal(await store.untilReady(READY_TIMEOUT_MS), true);
    const shard = store.shardOf('{killed}:k');
    assert.ok(shard !== undefined);
    await shard.redis.set('{killed}:k', '1');
    const id = await shard.redis.client('ID');
    const blocked = assert.rejects(shard.redis.blpop('{killed}:never', 0));
    await withAdmin(shard, (admin) => admin.client('KILL', 'ID', id));
    await blocked;
    assert.equal(await store.untilReady(READY_TIMEOUT_MS), true);
    assert.equal(await store.at('{killed}:k', (redis) => redis.get('{killed}:k')), '1');
    await store.close();
  });

  it('does not mistake other errors for redirections', () => {
    assert.equal(subject.store.noteRedirection(new Error('WRONGTYPE'), subject.shardOf('k')), false);
  });
}

function survivesSilence(subject: Subject): void {
  const openedAs = (purpose: string) =>
    subject.environment.proxies.reduce((sum, proxy) => sum + (proxy.opened().get(`n:${purpose}`) ?? 0), 0);
  const silence = (purpose: string) =>
    subject.environment.proxies.reduce((sum, proxy) => sum + proxy.silence([purpose]), 0);
  const bound = { timeoutMs: SILENCE_BOUND_MS };

  it('reopens a connection that is silent under commands, and no other one', async () => {
    const { store, source } = subject;
    const other = source.open('other', DEADLINE_MS);
    assert.equal(await other.untilReady(READY_TIMEOUT_MS), true);
    const openedBefore = openedAs('other');
    assert.ok(silence('test') > 0);
    await assert.rejects(subject.get('silent'));
    await poll('the silence to show', () => store.silent && !store.ready, bound);
    await poll('an answer', async () => (await subject.get('silent').catch(() => 'none')) === null, bound);
    await poll('the store to be ready', () => store.ready && !store.silent, bound);
    assert.equal(other.silent, false);
    assert.equal(openedAs('other'), openedBefore);
    await other.close();
  });

  for (const isBusy of [false, true])
    it(`reopens a subscriber whose connection is silent, ${isBusy ? 'busy before' : 'idle before'}`, async () => {
      const channel = 'maru:{silent}:live';
      const subscriber = subject.source.open('subscribe', DEADLINE_MS);
      assert.equal(await subscriber.untilReady(READY_TIMEOUT_MS), true);
      const shard = subscriber.shardOf(channel);
      assert.ok(shard !== undefined);
      await shard.redis.ssubscribe(channel);
      const publish = () => subject.store.at(channel, (redis) => redis.spublish(channel, 'x'));
      if (isBusy) for (let n = 0; n < 100; n++) await publish();
      assert.ok(silence('subscribe') > 0);
      await poll('it to be closed', () => shard.redis.status !== 'ready', bound);
      await poll('it to be ready again', () => subscriber.ready, bound);
      const received = new Promise((resolve) => shard.redis.once('smessage', (_, payload) => resolve(payload)));
      await shard.redis.ssubscribe(channel);
      await publish();
      assert.equal(await received, 'x');
      await subscriber.close();
    });

  it('reopens silent connections that watch the topology', async () => {
    for (const purpose of ['sentinel', 'topology']) {
      const openedBefore = openedAs(purpose);
      const silenced = silence(purpose);
      await poll(`${purpose} to be opened again`, () => openedAs(purpose) >= openedBefore + silenced, bound);
    }
    assert.equal(await subject.store.untilReady(READY_TIMEOUT_MS), true);
  });

  it('keeps a connection that answers slowly', async () => {
    const openedBefore = openedAs('test');
    await withAdmin(subject.shardOf('slow'), async (admin) => {
      await admin.call('CLIENT', 'PAUSE', '500', 'ALL');
      assert.equal(await subject.get('slow').catch(() => null), null);
    });
    assert.equal(openedAs('test'), openedBefore);
  });
}

for (const [kind, start] of Object.entries(ENVIRONMENTS)) {
  describe(`a store on ${kind}`, () => {
    const subject = useStore(start);
    placesKeys(subject);
    // This runs first, because a failure may cause a failover, which also replaces connections.
    survivesSilence(subject);
    survivesFailures(subject);
  });
}
