import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MaruError } from '@maru/protocol';
import { openRedis, type RedisStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { poll, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { DirectoryUnavailable } from '../directory/directory.ts';
import { auditKey } from '../keys.ts';
import { type AuditEvent, createAudit } from './audit.ts';
import { createReadAudit, SCANNED_MAX } from './read-audit.ts';
import { createSignIns } from './sign-ins.ts';

const silent = createLogger({ service: 'test', node: 'n', level: 'silent' });
const AGE_MS = 60_000;

describe('the audit', () => {
  let server: TestRedis;
  let source: ReturnType<typeof openRedis>;
  let store: RedisStore;
  before(async () => {
    server = await startTestRedis();
    source = openRedis(server.url, { node: 'n', logger: silent, onSilent() {} });
    store = source.open('control', 2_000);
    assert(await store.untilReady(10_000));
  });
  after(async () => {
    await store.close();
    source.close();
    await server.stop();
  });

  const lines: unknown[] = [];
  let failed = 0;
  const logger = { ...silent, info: (fields: object) => lines.push(fields), error() {} } as unknown as typeof silent;
  const rig = (storeNow = () => Date.now()) => ({
    audit: createAudit({ store, entriesMax: 1_000, ageMs: AGE_MS, logger, storeNow, onFailed: () => failed++ }),
    read: createReadAudit({ store, ageMs: AGE_MS, storeNow }),
  });
  const length = (kind: 'acts' | 'sign-ins') => store.at(auditKey(kind), (redis) => redis.xlen(auditKey(kind)));

  test('keeps the known fields, in bounded size, in the log and the store', async () => {
    const { audit, read } = rig();
    const event = { action: 'room.ban', by: 'root', user: 'mallory', room: 'tea', seq: 7, untilTs: 9 };
    audit.record({ ...event, reason: 'r'.repeat(100_000), text: 'a message' } as AuditEvent);
    await poll('the event', async () => (await length('acts')) === 1);
    const { events, cursor } = await read({ kind: 'acts', limit: 10 });
    const [{ id, ts, ...kept } = assert.fail('no event')] = events;
    assert.deepEqual(kept, { ...event, reason: 'r'.repeat(1_024) });
    assert.deepEqual([cursor, id.startsWith(`${ts}-`)], [undefined, true]);
    assert.deepEqual(lines, [{ audit: kept }]);
  });

  test('a flood of sign-ins is bounded, and does not displace acts', async () => {
    const { audit, read } = rig();
    for (let n = 0; n < 3_000; n += 500) {
      for (let m = 0; m < 500; m++) audit.record({ action: 'sign-in.guest', by: `guest-${n + m}` });
      await poll(
        'the events',
        async () => (await read({ kind: 'sign-ins', limit: 1 })).events[0]?.by === `guest-${n + 499}`,
      );
    }
    assert.ok((await length('sign-ins')) <= 1_200);
    assert.equal((await read({ kind: 'acts', limit: 10 })).events.length, 1);
    assert.equal(failed, 0);
  });

  test('a page with a filter looks at a bounded number of entries, and the cursor continues', async () => {
    const { audit, read } = rig();
    audit.record({ action: 'user.revoke', by: 'root', user: 'needle' });
    await poll('the event', async () => (await length('acts')) === 2);
    await store.at(auditKey('acts'), async (redis) => {
      const pipeline = redis.pipeline();
      for (let n = 0; n < SCANNED_MAX + 300; n++)
        pipeline.xadd(
          auditKey('acts'),
          '*',
          'e',
          JSON.stringify({ action: 'user.revoke', by: 'root', user: `u-${n}` }),
        );
      return pipeline.exec();
    });
    const first = await read({ kind: 'acts', limit: 10, user: 'needle' });
    assert.deepEqual([first.events, typeof first.cursor], [[], 'string']);
    const second = await read({ kind: 'acts', limit: 10, user: 'needle', cursor: first.cursor });
    assert.deepEqual([second.events.map(({ user }) => user), second.cursor], [['needle'], undefined]);
    assert.equal((await read({ kind: 'acts', limit: 200, user: 'root', action: 'user.revoke' })).events.length, 200);
  });

  test('old events are not shown', async () => {
    const { read } = rig(() => Date.now() + 2 * AGE_MS);
    assert.deepEqual(await read({ kind: 'acts', limit: 10 }), { events: [] });
  });

  test('events that the store rejects are logged, and counted after a few attempts', async () => {
    const { audit } = rig();
    await server.kill();
    const before = lines.length;
    for (let n = 0; n < 1_100; n++) audit.record({ action: 'user.revoke', by: 'root' });
    assert.equal(lines.length, before + 1_100);
    assert.equal(failed, 100);
    // Waiting acts do not take the place of sign-ins, nor the reverse.
    audit.record({ action: 'sign-in.ldap', by: 'mina' });
    await server.restart();
    assert(await store.untilReady(10_000));
    await poll('the others to be stored', async () => (await length('acts')) >= 1_000, { timeoutMs: 8_000 });
    assert.equal(failed, 100);
  });
});

test('an act that a client repeats is recorded once', () => {
  const lines: unknown[] = [];
  const logger = { ...silent, info: (fields: object) => lines.push(fields) } as unknown as typeof silent;
  const store = { at: async () => {} } as unknown as RedisStore;
  const audit = createAudit({ store, entriesMax: 9, ageMs: AGE_MS, logger, storeNow: Date.now, onFailed() {} });
  const event = { action: 'room.ban', by: 'root', room: 'tea' };
  for (const name of ['tea 1.a 7', 'tea 1.a 7', 'tea 2.b 7']) audit.recordOnce(event, name);
  assert.equal(lines.length, 2);
  // It forgets the oldest names.
  for (let n = 0; n < 2_000; n++) audit.recordOnce(event, `tea 3.c ${n}`);
  audit.recordOnce(event, 'tea 1.a 7');
  assert.equal(lines.length, 2_003);
});

test('sign-ins are audited, refused ones at a bounded rate', async () => {
  const events: AuditEvent[] = [];
  const counts: Record<string, number> = {};
  const signIns = createSignIns({
    audit: { record: (event) => void events.push(event) },
    now: () => 0,
    onOutcome: (kind, outcome) => {
      counts[`${kind} ${outcome}`] = (counts[`${kind} ${outcome}`] ?? 0) + 1;
    },
  });
  const address = '192.0.2.1';
  await signIns.run('guest', address, async () => ({ user: { id: 'guest-1' } }));
  const refuse = () => Promise.reject(new MaruError('invalid', 'name: must not be blank'));
  for (let n = 0; n < 1_000; n++) await assert.rejects(signIns.run('guest', address, refuse), { code: 'invalid' });
  assert.deepEqual(events.slice(0, 2), [
    { action: 'sign-in.guest', by: 'guest-1', address, outcome: 'ok' },
    { action: 'sign-in.guest', by: '-', address, outcome: 'invalid' },
  ]);
  assert.equal(events.length, 21);
  await signIns.renew(address, async () => 'a token');
  await assert.rejects(signIns.renew(address, () => Promise.reject(new Error('a bug'))));
  // The same error code with another cause: the store, or the directory.
  const unavailable = (cause: Error) => () => Promise.reject(new MaruError('unavailable', 'later', { cause }));
  for (const cause of [new Error('the store'), new DirectoryUnavailable('no server')])
    await assert.rejects(signIns.run('ldap', address, unavailable(cause)), { code: 'unavailable' });
  assert.deepEqual(counts, {
    ...{ 'guest ok': 1, 'guest invalid': 1_000, 'renew ok': 1, 'renew internal': 1 },
    ...{ 'ldap unavailable': 1, 'ldap directory_unavailable': 1 },
  });
});
