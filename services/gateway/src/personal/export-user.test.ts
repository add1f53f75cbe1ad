/** An export has no text whose deletion was acknowledged, archived or not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { singleStore } from '@maru/redis-store';
import { type ArchivedRig, startArchivedRig } from '../archive/testing/archived-rig.ts';
import { archiveDirtyKey, roomLogKey, roomMetaKey } from '../keys.ts';
import type { Change } from '../log/room-log.ts';
import { publicRoom } from '../log/testing/log-rig.ts';
import { exportUser } from './export-user.ts';

let rig: ArchivedRig;
before(async () => {
  rig = await startArchivedRig({ kept: 100 });
});
after(() => rig.stop());

let ids = 0;
async function change(room: string, what: Change, userId: string): Promise<number> {
  const by = { userId, userName: userId, clientMsgId: `id-${++ids}`, isAdmin: true, mayStore: true };
  const result = await rig.hot.change({ ...by, room, change: what });
  return 'seq' in result ? result.seq : assert.fail(result.outcome);
}
const send = (room: string, text: string, userId: string) =>
  change(room, { type: 'send', text, thread: undefined, mentions: undefined }, userId);

type Line = { room: string; seq: number; type: string; text?: string; data?: object; erased?: true };

async function exported(userId: string, between?: () => Promise<unknown>): Promise<Line[]> {
  let text = '';
  for await (const page of exportUser({ archive: rig.archive, store: singleStore(rig.admin) }, userId, undefined)) {
    text += page;
    await between?.();
  }
  const lines = text.trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines.pop() as string), { end: true, entries: lines.length });
  return lines.map((line) => JSON.parse(line) as Line);
}

test('a message and its edits have no texts once a moderator has deleted it', async () => {
  const room = await publicRoom(rig.hot);
  const seq = await send(room, 'secret', 'ann');
  await change(room, { type: 'edit', seq, text: 'secret too', mentions: undefined }, 'ann');
  const reply = { type: 'send', text: 'secret reply', thread: seq, mentions: undefined } as const;
  const answer = await change(room, reply, 'ann');
  await send(room, 'stays', 'ann');
  await rig.copy(room, 100);
  for (const one of [seq, answer]) await change(room, { type: 'delete', seq: one, reason: undefined }, 'mod');
  const lines = await exported('ann');
  assert.deepEqual(
    lines.map(({ text, data, erased }) => text ?? data ?? erased),
    [true, { seq }, true, 'stays'],
  );
  assert.deepEqual(
    lines.map(({ erased }) => erased),
    [true, true, true, undefined],
  );
});

test('what is deleted while an export is read has no text on later pages', async () => {
  const room = await publicRoom(rig.hot);
  for (let n = 1; n <= 700; n++) await send(room, `text ${n}`, 'bea');
  await rig.copy(room, 1_000);
  const fresh = await send(room, 'secret', 'bea');
  await rig.admin.zadd(archiveDirtyKey(), 1, room);
  let pages = 0;
  const lines = await exported('bea', async () => {
    if (++pages > 1) return;
    for (const seq of [650, fresh]) await change(room, { type: 'delete', seq, reason: undefined }, 'mod');
  });
  assert.equal(lines.length, 701);
  assert.deepEqual(
    lines.filter(({ erased }) => erased).map(({ seq }) => seq),
    [650, 701],
  );
  assert.deepEqual([lines[649]?.text, lines[700]?.text], [undefined, undefined]);
});

test('after a rollback that the archiver has not followed, new deletions count', async () => {
  const room = await publicRoom(rig.hot);
  for (let n = 1; n <= 5; n++) await send(room, `text ${n}`, 'dan');
  await rig.copy(room, 100);
  await rig.admin.xdel(roomLogKey(room), '4-0', '5-0');
  await rig.admin.call('XSETID', roomLogKey(room), '3-0');
  await rig.admin.hset(roomMetaKey(room), { epoch: '9.new', base: 3, archived: 3 });
  await change(room, { type: 'delete', seq: 2, reason: undefined }, 'mod');
  assert.deepEqual(
    (await exported('dan')).map(({ text }) => text),
    ['text 1', undefined, 'text 3', 'text 4', 'text 5'],
  );
});

test('a deleted room, and one that was made again, have no lines of before', async () => {
  const [gone, again] = [await publicRoom(rig.hot), await publicRoom(rig.hot)];
  for (const room of [gone, again]) {
    await send(room, 'secret', 'cid');
    await rig.copy(room, 100);
    await rig.admin.del(roomLogKey(room), roomMetaKey(room));
  }
  await rig.admin.hset(roomMetaKey(gone), { epoch: '2.x', base: 0, deleted: 1, cleared: 2 });
  await rig.admin.hset(roomMetaKey(again), { epoch: '3.y', base: 0, visibility: 'public', cleared: 2 });
  await send(again, 'new', 'cid');
  await rig.admin.zadd(archiveDirtyKey(), 1, again);
  assert.deepEqual(
    (await exported('cid')).map(({ room, text }) => [room, text]),
    [[again, 'new']],
  );
});
