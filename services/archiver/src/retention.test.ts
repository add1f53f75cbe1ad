import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { copyRooms } from './copy/copy-rooms.ts';
import { roomPinsKey } from './keys.ts';
import { startRetention } from './retention.ts';
import { archivedSeqs, marksOf, type Rig, say, startRig, trimTo, upTo } from './testing/rig.ts';

const DAY_MS = 86_400_000;

let rig: Rig;
before(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
after(() => rig.stop());

/**
 * Archives a room whose entries up to `old` are ten days old. The hot log has those from `first`.
 */
async function archiveRoom(room: string, count: number, old: number, first = old + 1) {
  await say(rig, room, count);
  const options = { store: rig.store, archive: rig.rooms, metrics: rig.metrics, logger: rig.logger };
  while ((await copyRooms([room], { ...options, askForTrim: async () => {} })).get(room)?.is !== 'done');
  const ago = Date.now() - 10 * DAY_MS;
  await rig.archive.write(async (tx) => {
    for (const table of ['entries', 'messages'])
      await tx.query(`UPDATE ${table} SET ts = $1 WHERE room = $2 AND seq <= $3`, [ago, room, old]);
  });
  if (old > 0) await trimTo(rig, room, first);
}

const retention = (days: number, daysByRoom?: Map<string, number>) =>
  startRetention({ ...rig, days, daysByRoom, periodMs: DAY_MS, deadlineMs: 5_000 });

test('the oldest entries leave the archive first, and the room records its new first entry', async () => {
  await archiveRoom('tea', 4_500, 4_400);
  await archiveRoom('milk', 50, 0);
  const loop = retention(7);
  await poll('the old entries to leave', async () => (await marksOf(rig, 'tea'))[1] === '4401', { timeoutMs: 10_000 });
  await loop.stop();
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(4_500, 4_401));
  assert.deepEqual(await archivedSeqs(rig, 'milk'), upTo(50));
  for (const table of ['messages', 'entries'])
    assert.deepEqual(await rig.rows(`SELECT seq FROM ${table} WHERE room = 'tea' AND seq <= 4400`), []);
  await archiveRoom('tea', 10, 0);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(4_510, 4_401));
});

test('rooms can have separate retentions, and 0 keeps a room forever', async () => {
  for (const room of ['kept', 'short', 'long']) await archiveRoom(room, 20, 15);
  const byRoom = new Map([
    ['kept', 0],
    ['long', 30],
  ]);
  const loop = retention(7, byRoom);
  await poll('the old entries to leave', async () => (await archivedSeqs(rig, 'short')).length === 5);
  await loop.stop();
  for (const room of ['kept', 'long']) assert.deepEqual(await archivedSeqs(rig, room), upTo(20), room);
});

test('what the hot log still has stays, with its pins, until the room leaves Redis', async () => {
  await archiveRoom('tea', 20, 18, 12);
  await rig.admin.zadd(roomPinsKey('tea'), 5, '5', 15, '15');
  const loop = retention(7);
  await poll('the old entries to leave', async () => (await archivedSeqs(rig, 'tea')).length < 20);
  await loop.stop();
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(20, 12));
  assert.deepEqual(await marksOf(rig, 'tea'), ['20', '12']);
  assert.deepEqual(await rig.admin.zrange(roomPinsKey('tea'), '0', '-1'), ['15']);
  await rig.admin.flushall();
  const again = retention(7);
  await poll('the rest to leave', async () => (await archivedSeqs(rig, 'tea')).length < 9);
  await again.stop();
  assert.deepEqual(await archivedSeqs(rig, 'tea'), [19, 20]);
});

test('an archive of which only the newest entry is left continues with new ones', async () => {
  await archiveRoom('tea', 20, 19);
  const loop = retention(7);
  await poll('the old entries to leave', async () => (await archivedSeqs(rig, 'tea')).length === 1);
  await loop.stop();
  await archiveRoom('tea', 5, 0);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(25, 20));
  assert.deepEqual(await marksOf(rig, 'tea'), ['25', '20']);
});

test('what a rollback set aside leaves the archive in time, also of a room without old entries', async () => {
  await archiveRoom('tea', 20, 0);
  const aside = (seq: number, ts: number) =>
    rig.archive.write((tx) =>
      tx.query(`INSERT INTO set_aside VALUES ('tea', $1, '0.z', $2, 'mina', '"type":"text"', '"text":"old"')`, [
        seq,
        ts,
      ]),
    );
  await aside(7, Date.now() - 10 * DAY_MS);
  await aside(8, Date.now());
  const loop = retention(7);
  const left = () => rig.rows<{ seq: number }>('SELECT seq FROM set_aside');
  await poll('the old one to leave', async () => (await left()).length === 1);
  await loop.stop();
  assert.deepEqual(await left(), [{ seq: 8 }]);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(20));
});
