import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { MaruError } from '@maru/protocol';
import { runScript, singleStore } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import { roomIdsKey, roomLogKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import type { Change } from '../log/room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from '../log/testing/log-rig.ts';
import { deleteRoom } from './delete-room.ts';
import { createScript } from './directory.ts';

let rig: LogRig;
let admin: Redis;

before(async () => {
  rig = await startLogRig();
  admin = rig.admin;
});
after(() => rig.stop());

test('a node that remembers a deleted room does not restore it, and a stranger creates no private room', async () => {
  const [a, b] = [await rig.node(), await rig.node()];
  const room = await publicRoom(a);
  for (const node of [a, b]) assert.equal((await node.append(message(room, `by-${node === a}`))).outcome, 'stored');
  const owner = singleStore(rig.admin);
  assert.equal(await deleteRoom(owner, room, ''), 'deleted');
  for (const node of [a, b])
    await assert.rejects(node.append(message(room, 'again')), (error: MaruError) => error.code === 'not_found');
  // The mark expires. The nodes have forgotten the room.
  await admin.del(roomMetaKey(room));
  for (const node of [a, b])
    await assert.rejects(node.append(message(room, 'again')), (error: MaruError) => error.code === 'not_found');
  assert.equal(await admin.exists(roomMetaKey(room)), 0);

  const hidden = 'p-hidden';
  await admin.hset(roomMetaKey(hidden), { epoch: '1.a', base: '0', visibility: 'private' });
  await admin.hset(roomRolesKey(hidden), 'mina', 'owner');
  assert.equal((await a.append(message(hidden, 'x'))).outcome, 'stored');
  await admin.del(roomMetaKey(hidden), roomLogKey(hidden), roomRolesKey(hidden), roomIdsKey(hidden));
  const stranger = { ...message(hidden, 'y'), userId: 'jun' };
  await assert.rejects(a.append(stranger), (error: MaruError) => error.code === 'not_found');
  assert.equal(await admin.exists(roomMetaKey(hidden)), 0);
});

test('no key of a deleted room survives, and a room made again under its id has its own threads', async () => {
  const log = await rig.node();
  const room = await publicRoom(log);
  let ids = 0;
  const change = async (what: Change) => {
    const request = { room, userId: 'mina', userName: 'Mina', clientMsgId: `c-${++ids}`, isAdmin: false };
    const result = await log.change({ ...request, mayStore: true, change: what });
    assert.equal(result.outcome, 'stored');
    return 'seq' in result ? result.seq : 0;
  };
  const send = (thread?: number) => change({ type: 'send', text: 'x', thread, mentions: ['jun'] });
  const remove = (seq: number) => change({ type: 'delete', seq, reason: undefined });
  const root = await send();
  await change({ type: 'react', seq: root, emoji: '👍', active: true });
  await remove(await send(root));
  const answered = await send();
  await change({ type: 'react', seq: await send(answered), emoji: '👍', active: true });
  assert.equal(await deleteRoom(singleStore(admin), room, ''), 'deleted');
  assert.deepEqual(await admin.keys(`maru:{${room}}:*`), [roomMetaKey(room)]);

  await log.read(room, { userId: 'mina' }, { mode: 'none' }, { create: true });
  assert.deepEqual([await send(), await send(), await send(root)], [1, 2, 3]);
  const piece = { mode: 'newest', seq: 0, limit: 50, thread: root, pinned: false } as const;
  const { entries } = await log.readMessages(room, 'mina', piece);
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    [3],
  );
});

test('a room that is made again tells the archiver of its deletion', async () => {
  const log = await rig.node();
  const rooms = ['again-joined', 'again-created'];
  for (const room of rooms) {
    await log.read(room, { userId: 'mina' }, { mode: 'none' }, { create: true });
    assert.equal((await log.append(message(room, 'x'))).outcome, 'stored');
    assert.equal(await deleteRoom(singleStore(admin), room, ''), 'deleted');
    assert.deepEqual(await admin.hmget(roomMetaKey(room), 'deleted', 'cleared'), ['1', '2']);
  }
  await log.read('again-joined', { userId: 'mina' }, { mode: 'none' }, { create: true });
  const keys = [roomMetaKey('again-created'), roomLogKey('again-created'), roomRolesKey('again-created')];
  await runScript(singleStore(admin), createScript, keys, ['mina', 'c', 'public', '']);
  for (const room of rooms) {
    const [deleted, cleared] = await admin.hmget(roomMetaKey(room), 'deleted', 'cleared');
    assert.deepEqual([room, deleted, cleared], [room, null, '2']);
  }
});
