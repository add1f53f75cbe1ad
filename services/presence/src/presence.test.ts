import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@maru/protocol';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { nodeKeys, roomChannel } from './keys.ts';
import {
  enter,
  eventually,
  leave,
  RawNode,
  request,
  SHORT,
  setStatus,
  shownIn,
  snapshot,
  startTestPresence,
  type TestPresence,
} from './testing/harness.ts';

interface Diff {
  prev: number;
  version: number;
  count: number;
  whole: boolean;
  joins: Array<{ id: string }>;
  leaves: Array<{ id: string }>;
  updates: Array<{ id: string; status: string; text?: string }>;
}

describe('presence service on a real store', () => {
  let redis: TestRedis;
  let service: TestPresence;
  let admin: Redis;
  let subscriber: Redis;
  const stops: Array<() => void> = [];

  before(async () => {
    redis = await startTestRedis();
    admin = new Redis(redis.url, { protocol: 2 });
  });
  after(async () => {
    admin.disconnect();
    await redis.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
    subscriber = new Redis(redis.url, { protocol: 2 });
    service = await startTestPresence(redis.url);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    subscriber.disconnect();
    await service.presence.stop();
  });

  async function aliveNode(name: string, ...state: unknown[]): Promise<RawNode> {
    const node = new RawNode(service.baseUrl, name);
    await node.sync(...state);
    stops.push(node.keepAlive());
    return node;
  }

  async function diffsOf(room: string): Promise<Diff[]> {
    const diffs: Diff[] = [];
    await subscriber.ssubscribe(roomChannel(room));
    subscriber.on('smessage', (channel: string, payload: string) => {
      if (channel === roomChannel(room)) diffs.push(JSON.parse(payload) as Diff);
    });
    return diffs;
  }

  it('shows the users of all nodes and tells joins and leaves as numbered differences', async () => {
    const diffs = await diffsOf('lobby');
    const a = await aliveNode('gw-a');
    const b = await aliveNode('gw-b');
    await Promise.all([a.report([enter('lobby', 'u1')]), b.report([enter('lobby', 'u2')])]);
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'u1,u2', 'both are shown');
    await b.report([leave('lobby', 'u2')]);
    await eventually(() => diffs.some(({ leaves }) => leaves.length > 0), 'the leave is told');
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), ['u1']);
    assert.equal(diffs[0]?.prev, 0);
    for (const [index, diff] of diffs.slice(1).entries()) assert.equal(diff.prev, diffs[index]?.version);
    assert.equal(diffs.at(-1)?.count, 1);
    assert.equal((await snapshot(service.baseUrl, 'lobby')).version, diffs.at(-1)?.version);
  });

  it('leaves no key behind when all are gone', async () => {
    const a = await aliveNode('gw-a', enter('lobby', 'u1'), setStatus('u1', 'away'));
    await sleep(100);
    await a.report([leave('lobby', 'u1')]);
    await a.depart();
    for (const stop of stops.splice(0)) stop();
    await eventually(async () => (await admin.keys('*')).length === 0, 'the store is empty', 8_000);
  });

  it('tells nothing of a user who is back on another node within the grace', async () => {
    const a = await aliveNode('gw-a', enter('lobby', 'u1'));
    const b = await aliveNode('gw-b');
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).length === 1, 'shown');
    const diffs = await diffsOf('lobby');
    await a.report([leave('lobby', 'u1')]);
    await sleep(SHORT.leaveGraceMs / 2);
    await b.report([enter('lobby', 'u1')]);
    await sleep(SHORT.leaveGraceMs * 2);
    assert.deepEqual(diffs, []);
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), ['u1']);
  });

  it('clears a node that fell silent, within lease and grace, and only that one', async () => {
    await aliveNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'both'));
    const silent = new RawNode(service.baseUrl, 'gw-b');
    await silent.sync(enter('lobby', 'u2'), enter('lobby', 'both'), enter('den', 'u3'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).length === 3, 'all are shown');
    const boundMs = SHORT.leaseMs + SHORT.sweepMs + SHORT.leaveGraceMs + SHORT.diffMs + 1_000;
    await eventually(
      async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'both,u1',
      'the ghost is gone',
      boundMs,
    );
    await eventually(async () => (await shownIn(service.baseUrl, 'den')).length === 0, 'the other room too', 500);
    assert.deepEqual(await silent.beat(), { resync: true });
  });

  it('lets a node that woke after its lease tell its state anew', async () => {
    const node = new RawNode(service.baseUrl, 'gw-a');
    await node.sync(enter('lobby', 'u1'));
    await sleep(SHORT.leaseMs + SHORT.sweepMs + SHORT.leaveGraceMs + 300);
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), []);
    assert.deepEqual(await node.report([enter('lobby', 'u9')]), { resync: true });
    await node.sync(enter('lobby', 'u1'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'u1', 'back');
  });

  it('never lets an older process of a name touch a younger one', async () => {
    const old = new RawNode(service.baseUrl, 'gw-a');
    await old.sync(enter('lobby', 'old'));
    const young = await aliveNode('gw-a', enter('lobby', 'young'));
    assert.deepEqual(await old.beat(), { resync: true });
    assert.deepEqual(await old.report([leave('lobby', 'young')]), { resync: true });
    const refused = await old.post('sync', { process: old.process, startedAt: old.startedAt });
    assert.equal(refused.status, 409);
    await old.depart();
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'young', 'only the young one');
    assert.deepEqual(await young.beat(), { resync: false });
  });

  it('clears what a restarted node no longer has, without flicker for what it still has', async () => {
    await new RawNode(service.baseUrl, 'gw-a').sync(enter('lobby', 'stays'), enter('lobby', 'goes'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).length === 2, 'shown');
    const diffs = await diffsOf('lobby');
    await aliveNode('gw-a', enter('lobby', 'stays'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'stays', 'cleared');
    await eventually(() => diffs.length > 0, 'told');
    assert.deepEqual(
      diffs.flatMap(({ joins, leaves }) => [...joins, ...leaves].map(({ id }) => id)),
      ['goes'],
    );
  });

  it('takes a report once, however often it comes and in whatever order', async () => {
    const a = await aliveNode('gw-a');
    await a.report([enter('lobby', 'u1')]);
    await a.repeat(a.seq, [enter('lobby', 'u1')]);
    await a.report([leave('lobby', 'u1')]);
    assert.deepEqual(await a.repeat(a.seq - 1, [enter('lobby', 'u1')]), { resync: false });
    await sleep(SHORT.leaveGraceMs + 300);
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), []);
    assert.deepEqual(await a.report([]), { resync: false });
    a.seq += 5;
    assert.deepEqual(await a.report([enter('lobby', 'u1')]), { resync: true });
  });

  it('asks for the whole state when the store was flushed', async () => {
    const a = await aliveNode('gw-a', enter('lobby', 'u1'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).length === 1, 'shown');
    await admin.flushall();
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), []);
    assert.deepEqual(await a.beat(), { resync: true });
    await a.sync(enter('lobby', 'u1'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'u1', 'healed');
  });

  it('asks for the whole state when the store forgot reports that it had acknowledged', async () => {
    const a = await aliveNode('gw-a');
    await a.report([enter('lobby', 'u1')]);
    assert.deepEqual(await a.beat(), { resync: false });
    await admin.hincrby(nodeKeys('gw-a').node, 'seq', -1);
    assert.deepEqual(await a.beat(), { resync: true });
  });

  it('loses nothing when it restarts', async () => {
    const a = await aliveNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'));
    await a.report([leave('lobby', 'u2')]);
    await service.presence.stop();
    service = await startTestPresence(redis.url);
    a.baseUrl = service.baseUrl;
    assert.deepEqual(await a.beat(), { resync: false });
    await eventually(
      async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'u1',
      'the leave is not forgotten',
    );
  });

  it('makes an invisible user look gone and back', async () => {
    const a = await aliveNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'));
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).length === 2, 'shown');
    const diffs = await diffsOf('lobby');
    await a.report([setStatus('u2', 'invisible')]);
    await eventually(() => diffs.length === 1, 'told');
    assert.deepEqual(diffs[0]?.leaves, [{ id: 'u2' }]);
    assert.equal((await snapshot(service.baseUrl, 'lobby')).count, 1);
    await a.report([setStatus('u2', 'online')]);
    await eventually(() => diffs.length === 2, 'told');
    assert.equal(diffs[1]?.joins[0]?.id, 'u2');
  });

  it('never shows a user who was invisible before entering', async () => {
    const a = await aliveNode('gw-a', enter('den', 'u1'), setStatus('u1', 'invisible'));
    const diffs = await diffsOf('lobby');
    const b = await aliveNode('gw-b');
    await a.report([setStatus('u1', 'invisible')]);
    await b.report([enter('lobby', 'u1'), enter('lobby', 'u2')]);
    await eventually(() => diffs.length > 0, 'told');
    assert.deepEqual(
      diffs.flatMap(({ joins }) => joins.map(({ id }) => id)),
      ['u2'],
    );
  });

  it('brings a status to every room on every node, and forgets it when the user is gone everywhere', async () => {
    const a = await aliveNode('gw-a', enter('lobby', 'u1'));
    const b = await aliveNode('gw-b', enter('den', 'u1'));
    await a.report([setStatus('u1', 'dnd', 'writing')]);
    const shows = async (room: string, status: string) =>
      (await snapshot(service.baseUrl, room)).users?.[0]?.status === status;
    await eventually(() => shows('lobby', 'dnd'), 'in the room of the same node');
    await eventually(() => shows('den', 'dnd'), 'in the room of the other node');
    await b.report([enter('hall', 'u1')]);
    await eventually(() => shows('hall', 'dnd'), 'in a room entered later');
    assert.equal((await snapshot(service.baseUrl, 'hall')).users?.[0]?.text, 'writing');
    await a.report([leave('lobby', 'u1')]);
    await b.report([leave('den', 'u1'), leave('hall', 'u1')]);
    await eventually(async () => (await admin.keys('*user:u1*')).length === 0, 'forgotten', 6_000);
    await a.report([enter('lobby', 'u1')]);
    await eventually(() => shows('lobby', 'online'), 'online as if for the first time');
  });

  it('tells counts only above the large-room bound, and all names again below it', async () => {
    const a = await aliveNode('gw-a');
    const ids = Array.from({ length: LIMITS.largeRoomUsers + 1 }, (_, index) => `u${index}`);
    const diffs = await diffsOf('big');
    await a.report(ids.map((id) => enter('big', id)));
    await eventually(async () => (await snapshot(service.baseUrl, 'big')).count === ids.length, 'all are counted');
    assert.equal((await snapshot(service.baseUrl, 'big')).users, undefined);
    assert.deepEqual([diffs.at(-1)?.count, diffs.at(-1)?.joins], [ids.length, []]);
    await a.report([leave('big', 'u0')]);
    await eventually(() => diffs.at(-1)?.count === ids.length - 1, 'smaller');
    assert.equal(diffs.at(-1)?.whole, true);
    assert.equal(diffs.at(-1)?.joins.length, LIMITS.largeRoomUsers);
    assert.equal((await snapshot(service.baseUrl, 'big')).users?.length, LIMITS.largeRoomUsers);
  });

  it('is one service with two instances', async () => {
    const second = await startTestPresence(redis.url, { node: 'presence-2' });
    try {
      const diffs = await diffsOf('lobby');
      const a = await aliveNode('gw-a');
      const b = await aliveNode('gw-b');
      b.baseUrl = second.baseUrl;
      for (let round = 0; round < 10; round++) {
        // The same users on both nodes, so that both instances work on the same records.
        const ops = Array.from({ length: 20 }, (_, index) => enter('lobby', `u${index}`));
        const gone = Array.from({ length: 20 }, (_, index) => leave('lobby', `u${index}`));
        await Promise.all([a.report(ops), b.report(ops)]);
        await Promise.all([a.report(gone), b.report(round === 9 ? [] : gone)]);
        // Each report may reach either instance.
        [a.baseUrl, b.baseUrl] = [b.baseUrl, a.baseUrl];
      }
      await sleep(SHORT.leaveGraceMs + 300);
      const shown = await shownIn(service.baseUrl, 'lobby');
      assert.equal(shown.length, 20);
      assert.deepEqual(await shownIn(second.baseUrl, 'lobby'), shown);
      for (const [index, diff] of diffs.slice(1).entries()) assert.equal(diff.prev, diffs[index]?.version);
    } finally {
      await second.presence.stop();
    }
  });

  it('drops an operation that is wrong and hears the others', async () => {
    const a = await aliveNode('gw-a');
    await a.report([enter('NOT A ROOM', 'u1'), { op: 'steal' }, null, enter('lobby', 'u2')]);
    await eventually(async () => (await shownIn(service.baseUrl, 'lobby')).join() === 'u2', 'the right one');
  });

  it('counts many rooms at once', async () => {
    await aliveNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'), enter('den', 'u1'));
    await eventually(async () => {
      const { body } = await request(service.baseUrl, '/v1/counts', { rooms: ['lobby', 'den', 'empty'] });
      return JSON.stringify((body as { counts: unknown }).counts) === JSON.stringify({ lobby: 2, den: 1, empty: 0 });
    }, 'counted');
  });
});
