import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Redis } from 'ioredis';
import { roomIdsKey, roomLogKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import { actScript, appendScript } from './append-calls.ts';
import { readScript } from './redis-read.ts';
import type { RoomLog } from './room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from './testing/log-rig.ts';

let rig: LogRig;
let admin: Redis;

before(async () => {
  rig = await startLogRig();
  admin = rig.admin;
});

after(() => rig.stop());

test('script headers name the keys in the order of the calls', () => {
  assert.deepEqual(appendScript.keys, ['meta', 'log', 'ids', 'roles', 'liveChannel', 'sanctions', 'paces', 'erased']);
  assert.equal(appendScript.args.length, 9);
  assert.deepEqual(actScript.keys, ['meta', 'log', 'ids', 'roles', 'liveChannel', 'sanctions', 'erased']);
  assert.equal(actScript.args.length, 18);
  const readKeys = ['meta', 'log', 'roles', 'liveChannel', 'sanctions', 'overlay', 'erased', 'reactionsPrefix'];
  assert.deepEqual(readScript.keys, [...readKeys, 'late']);
  assert.equal(readScript.args.length, 14);
});

test('seq counts from 1 without gaps, and texts are read back as stored', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  const texts = ['하나', 'two "quoted"\n', '\u0000\u202e', '😀 \ud800'];
  for (const [index, text] of texts.entries()) {
    const result = await log.append(message(room, `id-${index}`, text));
    assert.equal(result.outcome, 'stored');
    assert.equal('seq' in result && result.seq, index + 1);
  }
  const read = await log.read(room, 'node', { mode: 'newest', limit: 10 });
  assert.equal(read.head, 4);
  assert.equal(read.first, 1);
  assert.deepEqual(
    read.entries.map((entry) => JSON.parse(`{${entry.tail}}`).text),
    texts,
  );
});

test('an empty room that was read after its expiry expires again, unless it gets a message', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  const { epoch } = await log.read(room, 'node', { mode: 'none' });
  await admin.del(roomMetaKey(room));
  assert.equal((await log.read(room, 'node', { mode: 'none' })).epoch, epoch);
  assert.ok((await admin.pttl(roomMetaKey(room))) > 0);
  await admin.del(roomMetaKey(room));
  assert.equal((await log.append(message(room, 'x'))).outcome, 'stored');
  assert.equal(await admin.pttl(roomMetaKey(room)), -1);
});

test('an id with the same text is a duplicate on every node, with another text a conflict', async () => {
  const [a, b] = [await rig.node(), await rig.node()];
  const room = await publicRoom(a);
  const first = await a.append(message(room, 'x'));
  const second = await b.append(message(room, 'x'));
  assert.deepEqual(second, { ...first, outcome: 'duplicate' });
  assert.deepEqual(await b.append(message(room, 'x', 'other')), { outcome: 'conflict' });
  assert.deepEqual(await b.append({ ...message(room, 'x'), mayStore: false }), second);
  assert.deepEqual(await b.append({ ...message(room, 'y'), mayStore: false }), { outcome: 'refused' });
  assert.equal(
    (await a.append({ ...message(room, 'x'), userId: 'jun' })).outcome,
    'stored',
    "another user's id is another id",
  );
  assert.equal((await a.read(room, 'node', { mode: 'none' })).head, 2);
});

test('absent and hidden rooms are not found', async () => {
  const log = await rig.node();
  await assert.rejects(log.append(message('absent', 'x')), { code: 'not_found' });
  await assert.rejects(log.read('absent', { userId: 'mina' }, { mode: 'none' }), { code: 'not_found' });
  const room = 'p-0123456789abcdef0123456789abcdef';
  await admin.hset(roomMetaKey(room), 'epoch', '1.x', 'base', '0');
  await admin.hset(roomRolesKey(room), 'jun', 'owner');
  await assert.rejects(log.append(message(room, 'x')), { code: 'not_found' });
  await assert.rejects(log.read(room, { userId: 'mina' }, { mode: 'none' }), { code: 'not_found' });
  assert.equal((await log.append({ ...message(room, 'x'), userId: 'jun' })).outcome, 'stored');
});

test('a flushed script cache loses nothing and keeps the order', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  await log.append(message(room, 'warm'));
  await admin.script('FLUSH');
  await Promise.all(Array.from({ length: 20 }, (_, i) => log.append(message(room, `id-${i}`, `text ${i}`))));
  const { entries } = await log.read(room, 'node', { mode: 'newest', limit: 200 });
  assert.deepEqual(
    entries.map((entry) => JSON.parse(`{${entry.tail}}`).text),
    ['hello', ...Array.from({ length: 20 }, (_, i) => `text ${i}`)],
  );
});

test('a node that has seen the lost entries detects a rollback, and a new epoch is opened once', async () => {
  const [a, b] = [await rig.node(), await rig.node()];
  const room = await publicRoom(a);
  const restore = async () => {
    const keys = [roomMetaKey(room), roomLogKey(room), roomIdsKey(room)];
    const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
    return () => Promise.all(keys.map((key, index) => admin.restore(key, 0, dumps[index] as Buffer, 'REPLACE')));
  };
  for (let i = 0; i < 3; i++) await a.append(message(room, `id-${i}`));
  const rollBack = await restore();
  for (let i = 3; i < 5; i++) await a.append(message(room, `id-${i}`));
  await b.read(room, 'node', { mode: 'none' });
  const before = await a.read(room, 'node', { mode: 'none' });
  await rollBack();
  const result = await a.append(message(room, 'after'));
  assert.equal('seq' in result && result.seq, 4);
  assert.notEqual('epoch' in result && result.epoch, before.epoch);
  const look = await b.read(room, 'node', { mode: 'newest', limit: 10 });
  assert.deepEqual([look.base, look.head], [3, 4]);
  assert.equal(look.epoch, 'epoch' in result && result.epoch);
  const since = await b.read(room, 'node', {
    mode: 'since',
    position: { epoch: before.epoch, seq: 5 },
    fallbackLimit: 0,
  });
  assert.equal(since.reason, 'epoch');
});

test('a lost log is detected: seq starts again in a new epoch', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  const first = await log.append(message(room, 'x'));
  await admin.del(roomMetaKey(room), roomLogKey(room), roomIdsKey(room));
  const again = await log.append(message(room, 'x'));
  assert.equal(again.outcome, 'stored');
  assert.equal('seq' in again && again.seq, 1);
  assert.notEqual('epoch' in again && again.epoch, 'epoch' in first && first.epoch);
});

test('retention keeps the newest entries, removes ids with their entries, and leaves no gap', async () => {
  const log = await rig.node({ entriesMin: 100, entriesMax: 150 });
  const room = await publicRoom(log);
  for (let i = 0; i < 600; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, j) => log.append(message(room, `id-${i + j}`))));
  }
  const { head, first } = await log.read(room, 'node', { mode: 'none' });
  assert.equal(head, 600);
  const kept = head - first + 1;
  assert.ok(kept >= 100 && kept <= 150 + 128, `kept ${kept}`);
  assert.equal(await admin.hlen(roomIdsKey(room)), kept);
  const since = await log.read(room, 'node', {
    mode: 'since',
    position: { epoch: (await log.read(room, 'node', { mode: 'none' })).epoch, seq: 1 },
    fallbackLimit: 5,
  });
  assert.equal(since.reason, 'trimmed');
  assert.deepEqual(
    since.entries.map(({ seq }) => seq),
    [596, 597, 598, 599, 600],
  );
});

test('page bounds are exclusive and limited to kept entries', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  for (let i = 1; i <= 10; i++) await log.append(message(room, `id-${i}`));
  const seqs = async (piece: Parameters<RoomLog['read']>[2]) =>
    (await log.read(room, 'node', piece)).entries.map(({ seq }) => seq);
  assert.deepEqual(await seqs({ mode: 'newest', limit: 3 }), [8, 9, 10]);
  assert.deepEqual(await seqs({ mode: 'before', seq: 8, limit: 3 }), [5, 6, 7]);
  assert.deepEqual(await seqs({ mode: 'before', seq: 1, limit: 3 }), []);
  assert.deepEqual(await seqs({ mode: 'before', seq: 0, limit: 3 }), []);
  assert.deepEqual(await seqs({ mode: 'before', seq: 1_000, limit: 3 }), [8, 9, 10]);
  assert.deepEqual(await seqs({ mode: 'after', seq: 8, limit: 5 }), [9, 10]);
  assert.deepEqual(await seqs({ mode: 'after', seq: 0, limit: 2 }), [1, 2]);
  assert.deepEqual(await seqs({ mode: 'after', seq: 10, limit: 2 }), []);
});

test('a full store refuses and stores nothing, and accepts the same message later', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  await admin.config('SET', 'maxmemory', '1');
  await assert.rejects(log.append(message(room, 'x')), { code: 'unavailable' });
  await admin.config('SET', 'maxmemory', '0');
  const result = await log.append(message(room, 'x'));
  assert.deepEqual([result.outcome, 'seq' in result && result.seq], ['stored', 1]);
});

test('a hanging store fails within the deadline, and nothing is stored twice', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  await admin.client('PAUSE', 3_000, 'WRITE');
  const startedAt = Date.now();
  await assert.rejects(log.append(message(room, 'x')), { code: 'unavailable' });
  assert.ok(Date.now() - startedAt < 2_900);
  await admin.client('UNPAUSE');
  const result = await log.append(message(room, 'x'));
  assert.equal('seq' in result && result.seq, 1);
  assert.equal((await log.read(room, 'node', { mode: 'none' })).head, 1);
});

test('reads of one turn leave in one write', async (t) => {
  const log = await rig.node();
  const room = await publicRoom(log);
  const stream = (rig.connections.at(-1) as Redis).stream as unknown as { _write(): void; _writev(): void };
  const writes = [t.mock.method(stream, '_write'), t.mock.method(stream, '_writev')];
  const read = () => log.read(room, { userId: 'mina' }, { mode: 'newest', limit: 1 });
  await Promise.all(Array.from({ length: 8 }, read));
  assert.equal(
    writes.reduce((sum, { mock }) => sum + mock.callCount(), 0),
    1,
  );
  await read();
  assert.equal(
    writes.reduce((sum, { mock }) => sum + mock.callCount(), 0),
    2,
  );
});
