/**
 * Measures what it costs to reach each user: a channel for each user who is connected, against a
 * fixed number of channels that every node subscribes to (see `docs/decisions/0028-…`):
 *
 *   node tests/integration/inbox-cost.ts [users=10000]
 */
import assert from 'node:assert/strict';
import { availableParallelism, cpus } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { openRedis, type RedisStore, type Shard } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis } from '@maru/service-kit/testing';
import { createTicker } from '../../services/gateway/src/cluster/ticker.ts';
import { RedisSubscriber } from '../../services/gateway/src/delivery/redis-subscriber.ts';
import { InboxChannels } from '../../services/gateway/src/inbox/inbox-channels.ts';
import { encodeInboxEvent } from '../../services/gateway/src/inbox/inbox-codec.ts';
import { userInboxChannel } from '../../services/gateway/src/keys.ts';
import { poll } from '../support/poll.ts';

const USERS = Number(process.argv[2] ?? 10_000);
/** Number of users who connect in one event loop turn. */
const AT_ONCE = [1, 10, 100];
const EVENTS = 50_000;
const RETRY_MS = 500;
const DEADLINE_MS = 800;

const logger = createLogger({ service: 'load', node: 'n', level: 'silent' });
const now = () => performance.now();
const print = (line: string) => void process.stdout.write(`${line}\n`);
const userOf = (index: number) => `user-${String(index).padStart(6, '0')}`;
const event = encodeInboxEvent({
  ...{ type: 'mention', room: `p-${'0'.repeat(32)}`, seq: 1_000, ts: 1_700_000_000_000, n: 900 },
  ...{ from: { id: userOf(1), name: 'Mina' }, text: 'A text of usual length, with some forty characters.' },
});

const server = await startTestRedis();
const source = openRedis(server.url, { node: 'n', logger });
const open = async (purpose: string): Promise<RedisStore> => {
  const store = source.open(purpose, DEADLINE_MS);
  assert(await store.untilReady(10_000));
  return store;
};
const control = await open('control');
const admin = (control.shards[0] as Shard).redis;
/** A field of INFO. */
const info = async (name: string) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(await admin.info())?.[1]);
const redisCpuMs = async () => 1_000 * ((await info('used_cpu_user')) + (await info('used_cpu_sys')));

/** Microseconds of this process and of Redis, by one of `count` things. */
async function costOf(count: number, run: () => Promise<void>): Promise<string> {
  const redisBefore = await redisCpuMs();
  const before = process.cpuUsage();
  const startedAt = now();
  await run();
  const tookMs = now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  const redis = (await redisCpuMs()) - redisBefore;
  return `${((user + system) / count).toFixed(1)} µs here, ${((1_000 * redis) / count).toFixed(1)} µs Redis, ${tookMs.toFixed(0)} ms in all`;
}

async function openChannels() {
  const store = await open('signals-sub');
  const subscriber = new RedisSubscriber({
    store,
    retryMs: RETRY_MS,
    onHandlerError: (error) => assert.fail(String(error)),
  });
  subscriber.start(createTicker({ periodMs: RETRY_MS, logger, now }));
  let received = 0;
  const reader = { isOpen: true, send: () => void received++ };
  const channels = new InboxChannels({
    ...{ subscriber, readersOf: () => [reader], lingerMs: 0, now },
    onDelivered() {},
    onMalformed: () => assert.fail('malformed'),
  });
  // Subscriptions are executed in order. Checking all of them would cost as much as creating them.
  const last = userInboxChannel(userOf(USERS - 1));
  const close = async () => {
    subscriber.stop();
    await store.close();
  };
  return { channels, isDone: () => subscriber.isAlive(last), received: () => received, close };
}

async function subscribeAll(atOnce: number) {
  const opened = await openChannels();
  const cost = await costOf(USERS, async () => {
    for (let index = 0; index < USERS; index++) {
      opened.channels.came(userOf(index));
      if (index % atOnce === atOnce - 1) await turn();
    }
    await poll('all to be subscribed', opened.isDone, { everyMs: 5 });
  });
  print(`subscribe, ${atOnce} users a turn: ${cost}`);
  return opened;
}

/** Publishes without waiting for each answer. */
async function publish(channelOf: (index: number) => string): Promise<void> {
  for (let at = 0; at < EVENTS; at += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, index) => ['spublish', channelOf(at + index), event]);
    await admin.pipeline(batch).exec();
  }
}

async function measureChannelEach(): Promise<void> {
  for (const atOnce of AT_ONCE.slice(0, -1)) await (await subscribeAll(atOnce)).close();
  const memoryBefore = await info('used_memory');
  const opened = await subscribeAll(AT_ONCE.at(-1) as number);
  const memory = (await info('used_memory')) - memoryBefore;
  print(`memory of a channel: ${(memory / USERS).toFixed(0)} bytes in Redis`);
  for (let round = 0; round < 3; round++) {
    const killed = await costOf(USERS, async () => {
      await admin.call('client', 'kill', 'type', 'pubsub');
      await poll('the loss to be noticed', () => !opened.isDone(), { everyMs: 1 });
      await poll('all to be subscribed again', opened.isDone, { everyMs: 1 });
    });
    print(`subscribe again after CLIENT KILL: ${killed}`);
  }
  const delivered = await costOf(EVENTS, async () => {
    await publish((index) => userInboxChannel(userOf(index % USERS)));
    await poll('all to be received', () => opened.received() === EVENTS, { everyMs: 5 });
  });
  print(`an event to a user of this node, publishing included: ${delivered}`);
  print(`publish to nobody: ${await costOf(EVENTS, () => publish((index) => userInboxChannel(`other-${index}`)))}`);
  await opened.close();
}

/** The cost for each further node if all nodes subscribe to all channels. */
async function measureHashed(nodes: number): Promise<void> {
  const buckets = Array.from({ length: 256 }, (_, index) => `maru:inbox:{${index}}`);
  let received = 0;
  const known = new Map<string, true>([[userOf(1), true]]);
  const stores = await Promise.all(Array.from({ length: nodes }, () => open('signals-sub')));
  const subscribers = stores.map(
    (store) => new RedisSubscriber({ store, retryMs: RETRY_MS, onHandlerError: (error) => assert.fail(String(error)) }),
  );
  for (const subscriber of subscribers) {
    for (const bucket of buckets)
      await subscriber.subscribe(bucket, (payload) => {
        received++;
        // The user's id comes first, so a node without the user parses nothing else.
        known.get(payload.slice(0, payload.indexOf(' ')));
      });
  }
  const cost = await costOf(EVENTS, async () => {
    await publish((index) => buckets[index % buckets.length] as string);
    await poll('all to be received', () => received === EVENTS * nodes, { everyMs: 5 });
  });
  print(`an event in hashed channels, ${nodes} nodes without the user (all in this process): ${cost}`);
  await Promise.all(stores.map((store) => store.close()));
}

print(
  `${availableParallelism()} × ${cpus()[0]?.model}, Node.js ${process.version}, ${USERS} users, ${new Date().toISOString()}`,
);
try {
  await measureChannelEach();
  for (const nodes of [1, 4]) await measureHashed(nodes);
} finally {
  await control.close();
  source.close();
  await server.stop();
}
