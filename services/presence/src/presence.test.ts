import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@maru/protocol';
import { useService } from './testing/fixture.ts';
import {
  enter,
  eventually,
  leave,
  request,
  SHORT,
  setStatus,
  shownIn,
  snapshot,
  startTestPresence,
} from './testing/harness.ts';

describe('users of a room', () => {
  const service = useService();

  it('come from all nodes, and joins and leaves are numbered differences', async () => {
    const diffs = await service.diffsOf('lobby');
    const a = await service.startNode('gw-a');
    const b = await service.startNode('gw-b');
    await Promise.all([a.report([enter('lobby', 'u1')]), b.report([enter('lobby', 'u2')])]);
    await service.untilShown('lobby', 'u1,u2');
    await b.report([leave('lobby', 'u2')]);
    await eventually(() => diffs.some(({ leaves }) => leaves.length > 0), 'the leave is announced');
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), ['u1']);
    assert.equal(diffs[0]?.prev, 0);
    for (const [index, diff] of diffs.slice(1).entries()) assert.equal(diff.prev, diffs[index]?.version);
    assert.equal(diffs.at(-1)?.count, 1);
    assert.equal((await snapshot(service.baseUrl, 'lobby')).version, diffs.at(-1)?.version);
  });

  it('leave no data behind except the time at which they were last seen', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'), setStatus('u1', 'away'));
    await sleep(100);
    await a.report([leave('lobby', 'u1')]);
    await a.depart();
    service.silenceNodes();
    const seen = 'maru:presence:{user:u1}:seen';
    await eventually(async () => (await service.admin.keys('*')).join() === seen, 'Redis has one key', 8_000);
    assert((await service.admin.pttl(seen)) > 0, 'it expires');
  });

  it('do not flicker when they move to another node within the grace period', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'));
    const b = await service.startNode('gw-b');
    await service.untilShown('lobby', 'u1');
    const diffs = await service.diffsOf('lobby');
    await a.report([leave('lobby', 'u1')]);
    await sleep(SHORT.leaveGraceMs / 2);
    await b.report([enter('lobby', 'u1')]);
    await sleep(SHORT.leaveGraceMs * 2);
    assert.deepEqual(diffs, []);
    assert.deepEqual(await shownIn(service.baseUrl, 'lobby'), ['u1']);
  });

  it('have names only up to the large-room limit, and all names again below it', async () => {
    const a = await service.startNode('gw-a');
    const ids = Array.from({ length: LIMITS.largeRoomUsers + 1 }, (_, index) => `u${index}`);
    const diffs = await service.diffsOf('big');
    await a.report(ids.map((id) => enter('big', id)));
    await service.untilCount('big', ids.length);
    assert.equal((await snapshot(service.baseUrl, 'big')).users, undefined);
    assert.deepEqual([diffs.at(-1)?.count, diffs.at(-1)?.joins], [ids.length, []]);
    await a.report([leave('big', 'u0')]);
    await eventually(() => diffs.at(-1)?.count === ids.length - 1, 'the leave is announced');
    assert.equal(diffs.at(-1)?.whole, true);
    assert.equal(diffs.at(-1)?.joins.length, LIMITS.largeRoomUsers);
    assert.equal((await snapshot(service.baseUrl, 'big')).users?.length, LIMITS.largeRoomUsers);
  });

  it('are counted for many rooms in one request', async () => {
    await service.startNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'), enter('den', 'u1'));
    await eventually(async () => {
      const { body } = await request(service.baseUrl, '/v1/counts', { rooms: ['lobby', 'den', 'empty'] });
      return JSON.stringify((body as { counts: unknown }).counts) === JSON.stringify({ lobby: 2, den: 1, empty: 0 });
    }, 'the counts are right');
  });
});

describe('the status of a user', () => {
  const service = useService();

  it('invisible looks like a leave, and the end of invisible like a join', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'), enter('lobby', 'u2'));
    await service.untilShown('lobby', 'u1,u2');
    const diffs = await service.diffsOf('lobby');
    await a.report([setStatus('u2', 'invisible')]);
    await eventually(() => diffs.length === 1, 'the leave is announced');
    assert.deepEqual(diffs[0]?.leaves, [{ id: 'u2' }]);
    assert.equal((await snapshot(service.baseUrl, 'lobby')).count, 1);
    await a.report([setStatus('u2', 'online')]);
    await eventually(() => diffs.length === 2, 'the join is announced');
    assert.equal(diffs[1]?.joins[0]?.id, 'u2');
  });

  it('invisible before the entry never becomes visible', async () => {
    const a = await service.startNode('gw-a', enter('den', 'u1'), setStatus('u1', 'invisible'));
    const diffs = await service.diffsOf('lobby');
    const b = await service.startNode('gw-b');
    await a.report([setStatus('u1', 'invisible')]);
    await b.report([enter('lobby', 'u1'), enter('lobby', 'u2')]);
    await eventually(() => diffs.length > 0, 'a join is announced');
    assert.deepEqual(
      diffs.flatMap(({ joins }) => joins.map(({ id }) => id)),
      ['u2'],
    );
  });

  it('reaches every room on every node, and ends when the user has left all of them', async () => {
    const a = await service.startNode('gw-a', enter('lobby', 'u1'));
    const b = await service.startNode('gw-b', enter('den', 'u1'));
    await a.report([setStatus('u1', 'dnd', 'writing')]);
    const shows = async (room: string, status: string) =>
      (await snapshot(service.baseUrl, room)).users?.[0]?.status === status;
    await eventually(() => shows('lobby', 'dnd'), 'it is in the room of the same node');
    await eventually(() => shows('den', 'dnd'), 'it is in the room of the other node');
    await b.report([enter('hall', 'u1')]);
    await eventually(() => shows('hall', 'dnd'), 'it is in a room that was entered later');
    assert.equal((await snapshot(service.baseUrl, 'hall')).users?.[0]?.text, 'writing');
    await a.report([leave('lobby', 'u1')]);
    await b.report([leave('den', 'u1'), leave('hall', 'u1')]);
    const isGone = async () => (await service.admin.exists('maru:presence:{user:u1}:status')) === 0;
    await eventually(isGone, 'it is removed', 6_000);
    await a.report([enter('lobby', 'u1')]);
    await eventually(() => shows('lobby', 'online'), 'the user is online again');
  });
});

describe('two instances of the service', () => {
  const service = useService();

  it('act as one', async () => {
    const second = await startTestPresence(service.redisUrl, { node: 'presence-2' });
    try {
      const diffs = await service.diffsOf('lobby');
      const a = await service.startNode('gw-a');
      const b = await service.startNode('gw-b');
      b.baseUrl = second.baseUrl;
      for (let round = 0; round < 10; round++) {
        // The same users on both nodes, so that both instances change the same records.
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
});
