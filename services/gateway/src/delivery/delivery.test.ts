import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRedis, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import { createTicker } from '../cluster/ticker.ts';
import type { PacketBatch } from '../edge/packets.ts';
import { roomIdsKey, roomLiveChannel, roomLogKey, roomMetaKey } from '../keys.ts';
import { createRedisRoomLog } from '../log/redis-room-log.ts';
import { createSeenPositions } from '../log/seen-positions.ts';
import { Delivery } from './delivery.ts';
import type { DeliveryEndReason, Member } from './member.ts';
import { createRecentBudget } from './recent-entries.ts';
import { RedisSubscriber } from './redis-subscriber.ts';

const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
const now = () => performance.now();
let server: TestRedis;
let admin: Redis;
const closers: Array<() => void> = [];

before(async () => {
  server = await startTestRedis();
  admin = connect('admin');
  await ready(admin);
});

after(async () => {
  for (const close of closers) close();
  await server.stop();
});

function connect(purpose: string): Redis {
  const redis = connectRedis(
    { url: server.url, deadlineMs: purpose === 'append' ? undefined : 800 },
    { purpose, node: 'n', logger },
  );
  closers.push(() => redis.disconnect());
  return redis;
}

const ready = (redis: Redis) =>
  redis.status === 'ready' ? undefined : new Promise((resolve) => redis.once('ready', resolve));

/** The log and the delivery of one node, with counters instead of metrics. */
async function startNode() {
  const [append, read, subscribe] = [connect('append'), connect('read'), connect('subscribe')];
  await Promise.all([append, read, subscribe].map(ready));
  const counts = { backfills: 0, malformed: 0, resumeReads: 0 };
  const seen = createSeenPositions({ roomsMax: 1_000 });
  const retention = {
    entriesMin: 10_000,
    entriesMax: 20_000,
    ageMs: 3_600_000,
    emptyRoomTtlMs: 60_000,
    archive: false,
  };
  const log = createRedisRoomLog({
    appendStore: singleStore(append),
    readStore: singleStore(read),
    seen,
    retention,
    deadlineMs: 800,
    waitReplicas: 0,
    onRefused: () => {},
    now,
  });
  const subscriber = new RedisSubscriber({
    store: singleStore(subscribe),
    retryMs: 100,
    onHandlerError: (error) => assert.fail(String(error)),
  });
  const delivery = new Delivery({
    log,
    seen,
    subscriber,
    logger,
    lingerMs: 20,
    auditPeriodMs: 1_000,
    deadlineMs: 800,
    recentBudget: createRecentBudget(1e7),
    now,
    metrics: {
      delivered: () => {},
      backfill: () => counts.backfills++,
      malformed: () => counts.malformed++,
      announced() {},
      resumeRead: () => counts.resumeReads++,
    },
    beforeCreate: async () => {},
    onRoomEntered: () => {},
  });
  const ticker = createTicker({ periodMs: 100, logger, now });
  subscriber.start(ticker);
  delivery.start(ticker);
  closers.push(() => {
    delivery.stop();
    subscriber.stop();
  });
  return { delivery, log, counts, subscriber };
}

type Node = Awaited<ReturnType<typeof startNode>>;

class Recorder implements Member {
  readonly user: { id: string };
  removals: string[] = [];
  seqs: number[] = [];
  events: string[] = [];
  closed = false;
  endReason: DeliveryEndReason | undefined;

  constructor(userId = 'mina') {
    this.user = { id: userId };
  }

  removedFrom(_room: string, reason: string): void {
    this.removals.push(reason);
  }
  send(packet: string): void {
    const [event, payload] = JSON.parse(packet.slice(1));
    if (event === 'message') this.seqs.push(payload.seq);
    else this.events.push(`${payload.type}:${payload.head}`);
  }
  sendBatch({ packets }: PacketBatch): void {
    for (const packet of packets) this.send(packet);
  }
  async drained(): Promise<void> {
    await pause(0);
  }
  end(reason: DeliveryEndReason): void {
    this.closed = true;
    this.endReason = reason;
  }
}

async function join(node: Node, room: string): Promise<Recorder & { head: number }> {
  const member = new Recorder();
  const { epoch, head } = await node.delivery.enter(member, room, 'mina', { mode: 'none' }, true);
  void node.delivery.attach(member, room, { epoch, seq: head });
  return Object.assign(member, { head });
}

let count = 0;
const send = (node: Node, room: string) =>
  node.log.append({ room, userId: 'jun', userName: 'Jun', clientMsgId: `m${count++}`, text: 'hello', mayStore: true });

async function until(condition: () => boolean, what: string, withinMs = 3_000): Promise<void> {
  for (const startedAt = now(); !condition(); ) {
    if (now() - startedAt > withinMs) assert.fail(`${what} did not happen within ${withinMs} ms`);
    await pause(5);
  }
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
const hasAll = (member: Recorder & { head: number }, to: number) => () => {
  if (Math.max(member.head, member.seqs.at(-1) ?? 0) < to) return false;
  assert.deepEqual(member.seqs, range(member.head + 1, to));
  return true;
};

test('members who join a busy room at any moment get every later entry once and in order, on both nodes', async () => {
  const [a, b] = [await startNode(), await startNode()];
  const members: Array<Recorder & { head: number }> = [await join(a, 'busy'), await join(b, 'busy')];
  const sending = (async () => {
    for (let i = 0; i < 60; i++) {
      await pause(1);
      await Promise.all([send(a, 'busy'), send(b, 'busy'), send(a, 'busy')]);
    }
  })();
  for (let i = 0; i < 20; i++) {
    await pause(3);
    members.push(await join(i % 2 ? a : b, 'busy'));
  }
  await sending;
  for (const member of members) await until(hasAll(member, 180), 'the last entry');
});

test('a dropped subscriber loses nothing, not even the last message without further traffic', async () => {
  const node = await startNode();
  const member = await join(node, 'dropped');
  await send(node, 'dropped');
  await until(hasAll(member, 1), 'the first entry');
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await send(node, 'dropped');
  await until(hasAll(member, 2), 'the message whose announcement was lost');
});

test('the audit finds an announcement that was lost on a healthy connection', async () => {
  const node = await startNode();
  const member = await join(node, 'silent');
  await send(node, 'silent');
  await until(hasAll(member, 1), 'the first entry');
  // Stored without an announcement, as if the network had lost it.
  await admin.xadd(
    roomLogKey('silent'),
    '2-0',
    'u',
    'jun',
    'c',
    'x',
    't',
    '1',
    'h',
    '"type":"text"',
    'x',
    '"text":"lost"',
  );
  await until(hasAll(member, 2), 'the entry without an announcement', 4_000);
});

test('malformed and forged announcements are dropped and counted', async () => {
  const node = await startNode();
  const member = await join(node, 'forged');
  for (const payload of ['', 'x', '\n', '{"seq":1}', '1 M 1.a x 0 0\n', '\u0000', `1 M 1.a 5 5 3\nab}`]) {
    await admin.spublish(roomLiveChannel('forged'), payload);
  }
  await send(node, 'forged');
  await until(hasAll(member, 1), 'the real entry');
  assert.equal(node.counts.malformed, 6);
});

test('members get the epoch event of a rolled back log before its first new entry', async () => {
  const [a, b] = [await startNode(), await startNode()];
  const members = [await join(a, 'rolled'), await join(b, 'rolled')];
  for (let i = 0; i < 3; i++) await send(a, 'rolled');
  const keys = [roomMetaKey('rolled'), roomLogKey('rolled'), roomIdsKey('rolled')];
  const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
  for (let i = 0; i < 3; i++) await send(a, 'rolled');
  for (const member of members) await until(hasAll(member, 6), 'the entries of the first epoch');
  await Promise.all(keys.map((key, index) => admin.restore(key, 0, dumps[index] ?? '', 'REPLACE')));
  await send(b, 'rolled');
  for (const member of members) {
    await until(() => member.seqs.length === 7, 'the first entry of the new epoch');
    assert.deepEqual(member.events, ['epoch:3']);
    assert.equal(member.seqs.at(-1), 4);
  }
});

test('clients that missed the same entries share one read, and each gets all of them and becomes live', async () => {
  const [a, b] = [await startNode(), await startNode()];
  const first = await join(a, 'storm');
  for (let i = 0; i < 300; i++) await send(a, 'storm');
  await until(hasAll(first, 300), 'the last entry');
  const { epoch } = await a.log.read('storm', 'node', { mode: 'none' });
  const back = async (seq: number) => {
    const member = Object.assign(new Recorder(), { head: seq });
    const resumed = await b.delivery.resume(member, 'storm', 'mina', { epoch, seq });
    assert.equal(resumed.reason, undefined);
    for (const packet of resumed.packets) member.send(packet);
    void b.delivery.attach(member, 'storm', { epoch, seq: resumed.head });
    return member;
  };
  const together = await Promise.all(range(1, 50).map(() => back(100)));
  const later = await Promise.all(range(1, 50).map((i) => back(100 + i)));
  await send(a, 'storm');
  for (const member of [...together, ...later]) await until(hasAll(member, 301), 'the entry after the storm');
  assert.equal(b.counts.resumeReads, 1);
});

test('a room without members is unsubscribed after its linger time', async () => {
  const node = await startNode();
  const member = await join(node, 'left');
  const subscribers = async () =>
    Number(((await admin.call('PUBSUB', 'SHARDNUMSUB', roomLiveChannel('left'))) as unknown[])[1]);
  assert.equal(await subscribers(), 1);
  node.delivery.leave(member, 'left');
  for (let i = 0; i < 100 && (await subscribers()) > 0; i++) await pause(10);
  assert.equal(await subscribers(), 0);
  assert.equal(node.delivery.size, 0);
});

test('a member that catches up and one whose announcement was lost get messages as they were appended', async () => {
  const [a, b] = [await startNode(), await startNode()];
  await join(a, 'edited');
  await send(a, 'edited');
  const { epoch } = await a.log.read('edited', 'node', { mode: 'none' });
  const request = { room: 'edited', userId: 'jun', userName: 'Jun', isAdmin: false, mayStore: true };
  const edit = { type: 'edit', seq: 1, text: 'edited', mentions: undefined } as const;
  const react = { type: 'react', seq: 1, emoji: '👍', active: true } as const;
  for (const change of [edit, react])
    assert.equal((await a.log.change({ ...request, clientMsgId: change.type, change })).outcome, 'stored');
  const member = new Recorder();
  const texts: unknown[] = [];
  member.send = (packet) => {
    const [, { text, reactions, data }] = JSON.parse(packet.slice(1));
    texts.push(text ?? data?.text ?? data?.emoji, reactions);
  };
  await b.delivery.enter(member, 'edited', 'mina', { mode: 'none' }, false);
  await b.delivery.attach(member, 'edited', { epoch, seq: 0 });
  assert.deepEqual(texts, ['hello', undefined, 'edited', undefined, '👍', undefined]);
});
