/** Inbox events between two nodes on a real Redis. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InboxEvent } from '@maru/protocol';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import type { ChannelHandler } from '../delivery/subscriber.ts';
import { eventPacket } from '../edge/packets.ts';
import { userInboxChannel } from '../keys.ts';
import { InboxChannels } from './inbox-channels.ts';
import { decodeInboxEvent, encodeInboxEvent } from './inbox-codec.ts';
import { createRedisInbox } from './redis-inbox.ts';

let server: TestRedis;
let redis: Redis;
let store: RedisStore;

before(async () => {
  server = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'n', logger });
  store = singleStore(redis);
  assert(await store.untilReady(10_000));
});
after(async () => {
  redis?.disconnect();
  await server?.stop();
});

const removed = (room: string): InboxEvent => ({ type: 'removed', room, reason: 'kicked' });

function startInbox() {
  const counts = { sent: 0, lost: 0 };
  const inbox = createRedisInbox({
    store,
    onSent: (events) => {
      counts.sent += events;
    },
    onLost: (events) => {
      counts.lost += events;
    },
  });
  return { inbox, counts };
}

test('events beyond the queue, or while the store is away, are lost and counted, and never thrown', async () => {
  const { inbox, counts } = startInbox();
  inbox.tell(
    Array.from({ length: 10_500 }, (_, index) => `user-${index}`),
    removed('p-a'),
  );
  assert.deepEqual(counts, { sent: 0, lost: 500 });
  await poll('the others', () => counts.sent === 10_000);
  inbox.tell(['mina'], removed('p-a'));
  await poll('one more', () => counts.sent === 10_001);
  const long: InboxEvent = { type: 'invite', room: 'p-a', title: 'x'.repeat(1_048_576), from: { id: 'a', name: 'A' } };
  for (let told = 0; told < 20; told++) inbox.tell(['mina'], long);
  assert.equal(counts.lost, 505);
  await poll('what fits', () => counts.sent === 10_016);
  redis.disconnect();
  inbox.tell(['mina', 'jun'], removed('p-a'));
  await poll('the loss', () => counts.lost === 507);
});

test('a malformed event reaches no client', () => {
  const good = encodeInboxEvent(removed('p-a'));
  assert.equal(decodeInboxEvent(good), JSON.stringify(removed('p-a')));
  for (const bad of [
    good.slice(2),
    `2${good.slice(1)}`,
    good.slice(0, -1),
    '1 []',
    '1 null',
    '1 {"type":"removed","room":"p-a"}',
    '1 {"type":"constructor","room":"p-a"}',
    '1 {"type":"read","room":"p-a","seq":"1","n":1,"unread":0,"mentions":0}',
    '1 {"type":"invite","room":"p-a","title":"","from":null}',
  ])
    assert.equal(decodeInboxEvent(bad), undefined, bad);
});

test("a channel stays subscribed from the user's first connection until some time after the last", async () => {
  const handlers = new Map<string, ChannelHandler>();
  const steps: string[] = [];
  const readers = [
    { isOpen: true, send: (packet: string) => void steps.push(packet) },
    { isOpen: false, send: () => assert.fail('session comes first') },
  ];
  let nowMs = 0;
  let tick = () => {};
  const counts = { delivered: 0, malformed: 0 };
  const channels = new InboxChannels({
    subscriber: {
      want: (channel, handler) => {
        steps.push(`want ${channel}`);
        handlers.set(channel, handler);
      },
      drop: (dropped) => void steps.push(`drop ${dropped}`),
    },
    readersOf: () => readers,
    lingerMs: 10_000,
    onDelivered: (connections) => {
      counts.delivered += connections;
    },
    onMalformed: () => {
      counts.malformed++;
    },
    now: () => nowMs,
  });
  channels.start({
    join: (_, run) => {
      tick = run;
      return () => {};
    },
  });
  const channel = userInboxChannel('mina');
  channels.came('mina');
  handlers.get(channel)?.(encodeInboxEvent(removed('p-a')));
  handlers.get(channel)?.('no event');
  assert.deepEqual(counts, { delivered: 1, malformed: 1 });
  channels.left('mina');
  nowMs += 9_000;
  tick();
  channels.came('mina');
  nowMs += 9_000;
  tick();
  assert.equal(channels.size, 1);
  channels.left('mina');
  nowMs += 10_000;
  tick();
  assert.equal(channels.size, 0);
  assert.deepEqual(steps, [`want ${channel}`, eventPacket('inbox', JSON.stringify(removed('p-a'))), `drop ${channel}`]);
});
