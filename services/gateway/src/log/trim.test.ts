/** What remains in a real Redis after trimming while the archive is on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { singleStore } from '@maru/redis-store';
import { archiveTrimKey, roomLateKey, roomMetaKey, roomOverlayKey, roomPinsKey } from '../keys.ts';
import type { Change, RoomLog } from './room-log.ts';
import { type LogRig, message, publicRoom, RETENTION, startLogRig } from './testing/log-rig.ts';
import { trimQueued } from './trim-queue.ts';

const KEPT = { entriesMin: 10, entriesMax: 10, archive: true };

let rig: LogRig;
let log: RoomLog;
before(async () => {
  rig = await startLogRig();
  log = await rig.node(KEPT);
});
after(() => rig.stop());

let ids = 0;
async function act(room: string, change: Change, userId = 'mina'): Promise<number> {
  const by = { userId, userName: userId, clientMsgId: `c-${++ids}`, isAdmin: true, mayStore: true };
  const result = await log.change({ ...by, room, change });
  assert.equal(result.outcome, 'stored');
  return 'seq' in result ? result.seq : 0;
}
const react = (seq: number): Change => ({ type: 'react', seq, emoji: '👍', active: true });
const remove = (seq: number): Change => ({ type: 'delete', seq, reason: undefined });
const reply = (thread: number): Change => ({ type: 'send', text: 'reply', thread, mentions: undefined });

/** Appends until the next trims have run. */
async function grow(room: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await log.append(message(room, `g-${++ids}`));
}
const archive = (room: string, seq: number) => rig.admin.hset(roomMetaKey(room), 'archived', seq);
const firstOf = async (room: string) => (await log.read(room, 'node', { mode: 'none' })).first;
const overlayOf = (room: string) => rig.admin.hgetall(roomOverlayKey(room));

async function trim(room: string): Promise<void> {
  await rig.admin.sadd(archiveTrimKey(), room);
  await trimQueued(singleStore(rig.admin), { ...RETENTION, ...KEPT });
}

test('no entry leaves before the archive has it', async () => {
  const room = await publicRoom(log);
  await grow(room, 200);
  assert.equal(await firstOf(room), 1);
  await archive(room, 50);
  await trim(room);
  assert.equal(await firstOf(room), 51);
  await archive(room, 200);
  await trim(room);
  assert.equal(await firstOf(room), 191);
});

test('a message stays until the archive has the newest entry that concerns it', async () => {
  const room = await publicRoom(log);
  await grow(room, 20);
  const concern = await act(room, react(5));
  const inThread = await act(room, reply(7));
  await grow(room, 40);
  await archive(room, concern - 1);
  await trim(room);
  assert.equal(await firstOf(room), 5);
  await archive(room, concern);
  await trim(room);
  assert.equal(await firstOf(room), 7);
  await archive(room, inThread);
  await trim(room);
  assert.equal(await firstOf(room), inThread + 1);
  assert.deepEqual(await overlayOf(room), {});
});

test('the deletion of a reply concerns its root, even if only the archive has the root', async () => {
  const room = await publicRoom(log);
  await grow(room, 2);
  const [kept, late] = [await act(room, reply(1)), await act(room, reply(1))];
  const deletion = await act(room, remove(kept));
  assert.equal((await overlayOf(room)).l1, String(deletion));
  await grow(room, 20);
  await archive(room, 2);
  await rig.admin.hset(roomOverlayKey(room), 'l1', '2');
  await trim(room);
  assert.equal(await firstOf(room), 3);
  const second = await act(room, remove(late));
  assert.deepEqual(await rig.admin.zrange(roomLateKey(room), '0', '-1'), [`1\n${second}`]);
  assert.equal((await overlayOf(room)).l1, String(second));
});

test('a late change leaves with its entry, and the newest change of its message stays recorded', async () => {
  const room = await publicRoom(log);
  await grow(room, 20);
  await archive(room, 10);
  await trim(room);
  await grow(room, 20);
  await rig.admin.zadd(roomLateKey(room), 12, '1\n12', 13, '2\n13', 38, '2\n38');
  await rig.admin.hset(roomOverlayKey(room), 'l1', '12', 'l2', '38');
  await archive(room, 40);
  await trim(room);
  assert.equal(await firstOf(room), 31);
  assert.deepEqual(await rig.admin.zrange(roomLateKey(room), '0', '-1'), ['2\n38']);
  assert.deepEqual(await overlayOf(room), { l2: '38' });
});

test('a pinned message stays pinned when only the archive has it', async () => {
  const room = await publicRoom(log);
  await grow(room, 2);
  for (const seq of [1, 2]) await act(room, { type: 'pin', seq, active: true });
  await grow(room, 20);
  await archive(room, 24);
  await trim(room);
  assert.equal(await firstOf(room), 15);
  assert.deepEqual(await rig.admin.zrange(roomPinsKey(room), '0', '-1'), ['1', '2']);
});

test('a full store can be trimmed', async () => {
  const room = await publicRoom(log);
  await grow(room, 300);
  await archive(room, 300);
  await rig.admin.sadd(archiveTrimKey(), room);
  await rig.admin.config('SET', 'maxmemory', '1');
  await assert.rejects(log.append(message(room, 'full')), { code: 'unavailable' });
  await trimQueued(singleStore(rig.admin), { ...RETENTION, ...KEPT });
  assert.equal(await firstOf(room), 291);
  await rig.admin.config('SET', 'maxmemory', '0');
});
