import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import {
  enter,
  eventually,
  RawNode,
  request,
  SHORT,
  shownIn,
  startTestPresence,
  type TestPresence,
} from './testing/harness.ts';

/** The tests allow three times as long for slow machines. */
const STORE_DEADLINE_MS = 800;

describe('HTTP interface of presence', () => {
  let redis: TestRedis;
  let service: TestPresence;

  before(async () => {
    redis = await startTestRedis();
    service = await startTestPresence(redis.url);
  });
  after(async () => {
    await service.presence.stop();
    await redis.stop();
  });

  it('refuses a wrong secret, wrong shapes and large bodies', async () => {
    const wrong = 'b-secret-for-tests-only-0123456789abcdef';
    assert.equal((await request(service.baseUrl, '/v1/rooms/lobby', undefined, wrong)).status, 401);
    assert.equal((await request(service.baseUrl, '/v1/rooms/NOPE')).status, 400);
    assert.equal((await request(service.baseUrl, '/v1/elsewhere')).status, 404);
    const rooms = Array.from({ length: 201 }, (_, index) => `room-${index}`);
    assert.equal((await request(service.baseUrl, '/v1/counts', { rooms })).status, 400);
    assert.equal((await request(service.baseUrl, '/v1/counts', { rooms: ['x'.repeat(600_000)] })).status, 413);
    assert.equal((await request(service.baseUrl, '/v1/nodes/gw-a/report', { nodeEpoch: 1 })).status, 400);
    const counts = await request(service.baseUrl, '/v1/counts', { rooms: ['lobby', '__proto__x'] });
    assert.equal(counts.status, 400);
  });

  it('shows users in a snapshot as soon as their report is accepted', async () => {
    const node = new RawNode(service.baseUrl, 'gw-now');
    await node.sync();
    for (let index = 0; index < 20; index++) {
      await node.report([enter(`now-${index}`, 'u1')]);
      assert.deepEqual(await shownIn(service.baseUrl, `now-${index}`), ['u1'], `room ${index}`);
    }
  });

  it('reports its health and metrics', async () => {
    await eventually(async () => (await fetch(`${service.opsUrl}/readyz`)).status === 200, 'ready');
    const text = await (await fetch(`${service.opsUrl}/metrics`)).text();
    assert.match(text, /maru_presence_reports_total/);
  });
});

describe('presence without Redis', () => {
  it('answers unavailable in time and recovers', async () => {
    const redis = await startTestRedis({ appendOnly: 'always' });
    const { presence, baseUrl, opsUrl } = await startTestPresence(redis.url, {
      sweepHoldMs: 2_000,
      storeDeadlineMs: STORE_DEADLINE_MS,
    });
    try {
      const node = new RawNode(baseUrl, 'gw-a');
      await node.sync(enter('lobby', 'u1'));
      await eventually(async () => (await shownIn(baseUrl, 'lobby')).length === 1, 'shown');
      for (const fault of ['SIGKILL', 'SIGSTOP'] as const) {
        await redis.kill(fault);
        const start = performance.now();
        const answer = await request(baseUrl, '/v1/rooms/lobby');
        assert.equal(answer.status, 503);
        assert.equal((answer.body as { error: { code: string } }).error.code, 'unavailable');
        const tookMs = performance.now() - start;
        assert.ok(tookMs < 3 * STORE_DEADLINE_MS, `answered after ${tookMs} ms`);
        await assert.rejects(node.report([enter('lobby', 'u2')]));
        node.seq--;
        await eventually(async () => (await fetch(`${opsUrl}/readyz`)).status === 503, 'unready', 6_000);
        if (fault === 'SIGKILL') await redis.restart();
        else await redis.kill('SIGCONT');
        await eventually(async () => (await fetch(`${opsUrl}/readyz`)).status === 200, 'ready', 6_000);
        // The lease has expired, but it could not be renewed, so the node does not count as dead.
        await sleep(SHORT.sweepMs + SHORT.leaveGraceMs + SHORT.diffMs + 300);
        assert.deepEqual(await shownIn(baseUrl, 'lobby'), ['u1']);
        assert.deepEqual(await node.renew(), { resync: true });
        await node.sync(enter('lobby', 'u1'));
      }
    } finally {
      await presence.stop();
      await redis.stop();
    }
  });
});
