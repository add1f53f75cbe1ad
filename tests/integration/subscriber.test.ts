/** A node with many rooms waits while its store is down, and sends no commands that must fail. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openRedis, type RedisSource, type RedisStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { createTicker } from '../../services/gateway/src/cluster/ticker.ts';
import { RedisSubscriber } from '../../services/gateway/src/delivery/redis-subscriber.ts';
import { poll } from '../support/poll.ts';

const ROOMS = 60;
const RETRY_MS = 50;
const STORE_DEADLINE_MS = 800;
const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const now = () => performance.now();

let redis: TestRedis;
let source: RedisSource;
let store: RedisStore;
let control: RedisStore;

before(async () => {
  redis = await startTestRedis();
  source = openRedis(redis.url, { node: 'n', logger });
  [store, control] = [source.open('subscribe', STORE_DEADLINE_MS), source.open('control', STORE_DEADLINE_MS)];
  await Promise.all([store.untilReady(10_000), control.untilReady(10_000)]);
});
after(async () => {
  await Promise.all([store?.close(), control?.close()]);
  source?.close();
  await redis?.stop();
});

test('no room is subscribed while the store is down, and all are subscribed once it is back', async (t) => {
  const channels = Array.from({ length: ROOMS }, (_, index) => `maru:{room-${index}}:live`);
  const heard = new Set<string>();
  const subscriber = new RedisSubscriber({
    store,
    retryMs: RETRY_MS,
    onHandlerError: (error) => assert.fail(String(error)),
  });
  subscriber.start(createTicker({ periodMs: RETRY_MS, logger, now }));
  t.after(() => subscriber.stop());
  for (const channel of channels) await subscriber.subscribe(channel, () => heard.add(channel));
  const again = new Set<string>();
  subscriber.onResubscribed((resubscribed) => {
    for (const channel of resubscribed) again.add(channel);
  });

  const [shard] = store.shards;
  assert(shard !== undefined);
  const connection = shard.redis;
  const subscribe = connection.ssubscribe.bind(connection);
  let inVain = 0;
  connection.ssubscribe = ((...args: [string]) => {
    if (connection.status !== 'ready') inVain++;
    return subscribe(...args);
  }) as typeof connection.ssubscribe;

  await redis.kill();
  await poll('the loss to be noticed', () => connection.status !== 'ready');
  await pause(20 * RETRY_MS);
  assert.equal(inVain, 0);
  await redis.restart();
  await poll(
    'all to be subscribed again',
    () => again.size === ROOMS && channels.every((channel) => subscriber.isAlive(channel)),
  );
  assert(await control.untilReady(10_000));
  await Promise.all(channels.map((channel) => control.at(channel, (publisher) => publisher.spublish(channel, 'x'))));
  await poll('all to be heard', () => heard.size === ROOMS);
});

test('a subscription that misses its deadline, but is made later, is ended', async (t) => {
  const late = source.open('subscribe', STORE_DEADLINE_MS);
  assert(await late.untilReady(10_000));
  t.after(() => late.close());
  const subscriber = new RedisSubscriber({
    store: late,
    retryMs: RETRY_MS,
    onHandlerError: (error) => assert.fail(String(error)),
  });
  t.after(() => subscriber.stop());
  const [left, dropped, wanted] = ['maru:{left}:live', 'maru:{dropped}:live', 'maru:{wanted}:live'] as const;
  await redis.kill('SIGSTOP');
  subscriber.want(dropped, () => {});
  await Promise.all([left, wanted].map((channel) => assert.rejects(subscriber.subscribe(channel, () => {}))));
  subscriber.drop([dropped]);
  await redis.kill('SIGCONT');
  const subscribed = async () => {
    const reply = (await control.at(left, (node) => node.call('pubsub', 'shardchannels'))) as string[];
    return reply.filter((channel) => [left, dropped, wanted].includes(channel as typeof left)).sort();
  };
  await poll('the late subscriptions', async () => (await subscribed()).length === 3);
  await subscriber.subscribe(wanted, () => {});
  subscriber.start(createTicker({ periodMs: RETRY_MS, logger, now }));
  await poll('their end', async () => (await subscribed()).length === 1);
  await pause(3 * RETRY_MS);
  assert.deepEqual(await subscribed(), [wanted]);
});

test('after a pause of the process, announcements are dropped until the gate opens, and then reported', async () => {
  let isOpen = true;
  let open = () => {};
  const heard: string[] = [];
  const reported: string[][] = [];
  const pausing = source.open('subscribe', STORE_DEADLINE_MS);
  assert(await pausing.untilReady(10_000));
  const subscriber = new RedisSubscriber({
    store: pausing,
    retryMs: RETRY_MS,
    gate: {
      isOpen: () => isOpen,
      onOpened(callback) {
        open = callback;
      },
    },
    onHandlerError: (error) => assert.fail(String(error)),
  });
  const channels = ['maru:{a}:live', 'maru:{b}:live', 'maru:{c}:live'];
  for (const channel of channels) await subscriber.subscribe(channel, (payload) => heard.push(`${channel} ${payload}`));
  subscriber.onResubscribed((again) => reported.push([...again]));
  const publish = (channel: string, payload: string) =>
    control.at(channel, (publisher) => publisher.spublish(channel, payload));
  isOpen = false;
  for (const channel of channels.slice(0, 2)) for (const payload of ['1', '2']) await publish(channel, payload);
  await pause(RETRY_MS);
  assert.deepEqual([heard, reported], [[], []]);
  isOpen = true;
  open();
  assert.deepEqual(reported, [channels.slice(0, 2)]);
  await publish('maru:{a}:live', '3');
  await poll('the next one', () => heard.length > 0);
  open();
  assert.deepEqual([heard, reported.length], [['maru:{a}:live 3'], 1]);
  subscriber.stop();
  await pausing.close();
});

test('channels that are added or dropped in one turn share commands, and other channels are not checked again', async () => {
  const wanting = source.open('subscribe', STORE_DEADLINE_MS);
  assert(await wanting.untilReady(10_000));
  const subscriber = new RedisSubscriber({
    store: wanting,
    retryMs: RETRY_MS,
    onHandlerError: (error) => assert.fail(String(error)),
  });
  const [shard] = wanting.shards;
  assert(shard !== undefined);
  const commands: number[] = [];
  const subscribe = shard.redis.ssubscribe.bind(shard.redis);
  shard.redis.ssubscribe = ((...channels: string[]) => {
    commands.push(channels.length);
    return subscribe(...channels);
  }) as typeof shard.redis.ssubscribe;
  const heard: string[] = [];
  const want = (name: string) => {
    const channel = `maru:inbox:{${name}}`;
    subscriber.want(channel, (payload) => heard.push(`${name} ${payload}`));
    return channel;
  };
  const channels = Array.from({ length: 700 }, (_, index) => want(`user-${index}`));
  await poll('all to be confirmed', () => channels.every((channel) => subscriber.isAlive(channel)));
  assert.deepEqual(commands, [500, 200]);
  channels.push(want('late'));
  await poll('the late one', () => subscriber.isAlive('maru:inbox:{late}'));
  assert.deepEqual(commands, [500, 200, 1]);
  // A channel that is dropped before its confirmation.
  const unwanted = want('unwanted');
  await subscriber.unsubscribe(unwanted);
  const subscribersOf = async (channel: string) => {
    const reply = await control.at(channel, (redis) => redis.call('pubsub', 'shardnumsub', channel));
    return (reply as [string, number])[1];
  };
  await poll('its end', async () => (await subscribersOf(unwanted)) === 0);
  await Promise.all(channels.map((channel) => control.at(channel, (redis) => redis.spublish(channel, 'x'))));
  await poll('all to be heard', () => heard.length === channels.length);

  const ends: number[] = [];
  const unsubscribe = shard.redis.sunsubscribe.bind(shard.redis);
  shard.redis.sunsubscribe = ((...ended: string[]) => {
    ends.push(ended.length);
    return unsubscribe(...ended);
  }) as typeof shard.redis.sunsubscribe;
  subscriber.drop([...channels.slice(0, 600), 'maru:inbox:{unknown}']);
  assert.deepEqual(ends, [500, 100]);
  await poll('their end', async () => (await subscribersOf(channels[599] as string)) === 0);
  assert.equal(await subscribersOf(channels[600] as string), 1);
  subscriber.stop();
  await wanting.close();
});
