import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { singleStore } from '@maru/redis-store';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { createMetrics } from '../metrics.ts';
import type { UserRecord } from '../tracker.ts';
import { createPresenceStore, type PresenceStore } from './presence-store.ts';
import type { RecordChange } from './room-store.ts';
import { createScriptRunner } from './script-runner.ts';

const record = (seq: number): UserRecord => ({
  user: { id: 'u1', name: 'U1' },
  profile: { status: 'online', version: 0 },
  nodes: { 'gw-a': { epoch: 1, seq } },
});
const change = (expected: UserRecord | undefined, next: UserRecord): RecordChange => ({
  userId: 'u1',
  expected: expected === undefined ? '' : JSON.stringify(expected),
  record: next,
  shown: { ...next.user, status: 'online' },
  dueAt: undefined,
});

const DIFF_MS = 400;

describe('presence store', () => {
  let redis: TestRedis;
  let connection: Redis;
  let store: PresenceStore;

  before(async () => {
    redis = await startTestRedis();
    connection = new Redis(redis.url, { protocol: 2 });
    const metrics = createMetrics(new Registry());
    const runner = createScriptRunner({ store: singleStore(connection), metrics, now: () => performance.now() });
    store = createPresenceStore(runner, { leaseMs: 1_000, diffMs: DIFF_MS, horizonMs: 10_000 });
  });
  after(async () => {
    connection.disconnect();
    await redis.stop();
  });
  beforeEach(async () => {
    await connection.flushall();
  });

  it('commits all changes, or none if a record changed since it was read', async () => {
    assert.equal((await store.commitUsers('lobby', [change(undefined, record(1))], 0)).result, 'ok');
    const other = { ...change(undefined, record(1)), userId: 'u2' };
    const outdated = change(undefined, record(2));
    assert.equal((await store.commitUsers('lobby', [other, outdated], 0)).result, 'conflict');
    const { records } = await store.readUsers('lobby', ['u1', 'u2']);
    assert.deepEqual(records[0]?.record, record(1));
    assert.equal(records[1]?.record, undefined);
  });

  it('ignores a report after its deadline', async () => {
    const { now } = await store.readUsers('lobby', ['u1']);
    assert.equal((await store.commitUsers('lobby', [change(undefined, record(1))], now - 1)).result, 'late');
    assert.equal((await store.readUsers('lobby', ['u1'])).records[0]?.record, undefined);
    assert.equal(await store.setStatus('u1', { status: 'away', ifAbsent: false }, now - 1), undefined);
  });

  it('announces each change once: at once after a quiet time, else after the pause', async () => {
    const first = await store.commitUsers('lobby', [change(undefined, record(1))], 0);
    assert.ok(first.result === 'ok' && first.nextAt === first.now);
    assert.deepEqual(await store.flushRoom('lobby'), { published: true, nextAt: 0 });
    const away = { ...change(record(1), record(2)), shown: { id: 'u1', name: 'U1', status: 'away' as const } };
    const next = await store.commitUsers('lobby', [away], 0);
    assert.ok(next.result === 'ok' && next.nextAt > next.now && next.nextAt <= next.now + DIFF_MS);
    assert.deepEqual(await store.flushRoom('lobby'), { published: false, nextAt: next.nextAt });
    await new Promise((resolve) => setTimeout(resolve, DIFF_MS + 20));
    assert.deepEqual(await store.flushRoom('lobby'), { published: true, nextAt: 0 });
    assert.deepEqual(await store.flushRoom('lobby'), { published: false, nextAt: 0 });
  });

  it('keeps the time that was scheduled during a claim', async () => {
    await store.scheduleRooms(new Map([['lobby', 1]]));
    const { claim, members } = await store.claimDue('rooms', 10);
    assert.deepEqual(members, ['lobby']);
    assert.deepEqual((await store.claimDue('rooms', 10)).members, []);
    await store.scheduleRooms(new Map([['lobby', 5]]));
    await store.releaseClaim('rooms', 'lobby', claim, 0);
    assert.deepEqual((await store.claimDue('rooms', 10)).members, ['lobby']);
  });

  it('keeps the last status, which a full state does not replace', async () => {
    const later = Number.MAX_SAFE_INTEGER;
    await store.touchUser('u1', ['lobby', 'den']);
    const set = await store.setStatus('u1', { status: 'dnd', text: 'busy', ifAbsent: false }, later);
    assert.deepEqual(set?.rooms.sort(), ['den', 'lobby']);
    const kept = await store.setStatus('u1', { status: 'away', ifAbsent: true }, later);
    assert.deepEqual(kept?.profile, set?.profile);
    assert.equal((await store.touchUser('u1', [])).status, 'dnd');
    await store.forgetVisit('u1', 'lobby', { leftMs: 1, readMs: later });
    assert.equal((await store.touchUser('u1', [])).status, 'dnd');
    await store.forgetVisit('u1', 'den', { leftMs: 1, readMs: later });
    assert.equal((await store.touchUser('u1', [])).status, 'online');
  });

  it('ends a status with the visit during which it was set, even where the user is in no room', async () => {
    const afterVisit = async (leftAfterMs: number) => {
      await store.touchUser('u1', ['lobby']);
      await store.keepStatus('u1', { status: 'invisible', isOutside: true });
      const { now } = await store.readUsers('lobby', ['u1']);
      await store.forgetVisit('u1', 'lobby', { leftMs: now + leftAfterMs, readMs: Number.MAX_SAFE_INTEGER });
      return (await store.touchUser('u1', [])).status;
    };
    assert.equal(await afterVisit(-100), 'invisible', 'set after the visit, during the grace period');
    assert.equal(await afterVisit(500), 'invisible', 'the report of the leave came late');
    assert.equal(await afterVisit(5_000), 'online', 'set during the visit');
  });

  it('does not forget a visit that began after the read', async () => {
    await store.touchUser('u1', ['lobby']);
    await store.forgetVisit('u1', 'lobby', { leftMs: 1, readMs: 1 });
    assert.deepEqual(
      (await store.setStatus('u1', { status: 'away', ifAbsent: false }, Number.MAX_SAFE_INTEGER))?.rooms,
      ['lobby'],
    );
  });
});
