/** One round of copying, against a real Redis and PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { roomLogKey, roomMetaKey, roomPinsKey } from '../keys.ts';
import { archivedSeqs, erase, marksOf, type Rig, rollBackTo, say, startRig, trimTo, upTo } from '../testing/rig.ts';
import { type CopyOptions, copyRooms } from './copy-rooms.ts';

let rig: Rig;
let trims: string[];
before(async () => {
  rig = await startRig();
});
beforeEach(async () => {
  trims = [];
  await rig.reset();
});
after(() => rig.stop());

const optionsOf = (more: Partial<CopyOptions> = {}): CopyOptions => ({
  ...{ store: rig.store, archive: rig.rooms, metrics: rig.metrics, logger: rig.logger },
  askForTrim: async (rooms) => void trims.push(...rooms),
  ...more,
});
/** Copies until no entry is left. */
async function copy(...rooms: string[]): Promise<number> {
  for (let rounds = 1; ; rounds++) {
    const outcomes = await copyRooms(rooms, optionsOf());
    if (rooms.every((room) => outcomes.get(room)?.is === 'done')) return rounds;
    assert.ok(rounds < 50, 'it ends');
  }
}
const countOf = async (name: keyof typeof rig.metrics) => {
  const metric = await rig.metrics[name].get();
  return metric.values[0]?.value ?? 0;
};

test('all entries are archived once, erased ones without text, and the room records the position', async () => {
  await say(rig, 'tea', 2_300);
  await erase(rig, 'tea', 1_200);
  assert.equal(await copy('tea'), 3);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(2_300));
  assert.deepEqual(await marksOf(rig, 'tea'), ['2300', '1']);
  const [row] = await rig.rows<{ tail: string; words: string | null }>(
    'SELECT e.tail, m.words::text FROM entries e JOIN messages m USING (room, seq) WHERE seq = 1200',
  );
  assert.deepEqual(row, { tail: '"erased":true', words: null });
  assert.deepEqual(trims, ['tea', 'tea', 'tea']);
});

test('a hot room leaves space for others in a transaction', async () => {
  await say(rig, 'hot', 5_000);
  const small = upTo(20).map((n) => `small-${n}`);
  for (const room of small) await say(rig, room, 1);
  const outcomes = await copyRooms(['hot', ...small], optionsOf());
  assert.equal(outcomes.get('hot')?.is, 'more');
  for (const room of small) assert.equal(outcomes.get(room)?.is, 'done', room);
});

test('rooms that do not fit into a transaction are left for the next one', async () => {
  const rooms = upTo(12).map((n) => `large-${n}`);
  for (const room of rooms) await say(rig, room, 400);
  const outcomes = await copyRooms(rooms, optionsOf());
  assert.deepEqual([...outcomes.keys()], rooms.slice(0, 8));
});

test('an archiver that dies before the commit, or before it marks the room, neither loses nor duplicates entries', async () => {
  await say(rig, 'tea', 10);
  const died = new Error('planted');
  const beforeCommit = optionsOf({ archive: { ...rig.rooms, write: () => Promise.reject(died) } });
  await assert.rejects(copyRooms(['tea'], beforeCommit), died);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), []);
  const beforeMark = optionsOf({ store: { ...rig.store, mark: () => Promise.reject(died) } });
  await assert.rejects(copyRooms(['tea'], beforeMark), died);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(10));
  assert.deepEqual(await marksOf(rig, 'tea'), [null, null]);
  await say(rig, 'tea', 5);
  await copy('tea');
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(15));
  assert.deepEqual(await marksOf(rig, 'tea'), ['15', '1']);
});

test('archivers that copy one room concurrently write each entry once', async () => {
  await say(rig, 'tea', 1_500);
  const one = async () => {
    for (let n = 0; n < 6; n++) await copyRooms(['tea'], optionsOf());
  };
  await Promise.all([one(), one(), one()]);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(1_500));
  assert.deepEqual(await marksOf(rig, 'tea'), ['1500', '1']);
});

test('a room that is older than the archive begins with its first kept entry', async () => {
  await say(rig, 'old', 50);
  await trimTo(rig, 'old', 31);
  const gaps = await countOf('gapEntries');
  await copy('old');
  assert.deepEqual(await archivedSeqs(rig, 'old'), upTo(50, 31));
  assert.deepEqual(await marksOf(rig, 'old'), ['50', '31']);
  assert.equal(await countOf('gapEntries'), gaps);
});

test('a deleted room leaves the archive, and a room that was created again starts empty', async () => {
  await say(rig, 'tea', 3_000);
  await copy('tea');
  await rig.admin.del(roomLogKey('tea'), roomMetaKey('tea'));
  await rig.admin.hset(roomMetaKey('tea'), { epoch: '2.d', base: 0, deleted: 1, cleared: 2 });
  await copy('tea');
  for (const table of ['entries', 'messages'])
    assert.deepEqual(await rig.rows(`SELECT seq FROM ${table} WHERE room = 'tea'`), [], table);
  await rig.admin.del(roomMetaKey('tea'));
  await rig.admin.hset(roomMetaKey('tea'), { epoch: '3.e', base: 0, cleared: 2 });
  await say(rig, 'tea', 4);
  await copy('tea');
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(4));
  assert.deepEqual(await marksOf(rig, 'tea'), ['4', '1']);
});

test('a room that was deleted and created again between two rounds starts empty', async () => {
  await say(rig, 'tea', 30);
  await copy('tea');
  await rig.admin.del(roomLogKey('tea'), roomMetaKey('tea'));
  await rig.admin.hset(roomMetaKey('tea'), { epoch: '3.e', base: 0, cleared: 2 });
  await say(rig, 'tea', 4, { text: 'new' });
  await copy('tea');
  const tails = await rig.rows<{ tail: string }>("SELECT DISTINCT tail FROM entries WHERE room = 'tea'");
  assert.deepEqual(tails, [{ tail: '"text":"new"' }]);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(4));
});

test('a room that Redis lost keeps its archive', async () => {
  await say(rig, 'tea', 30);
  await copy('tea');
  await rig.admin.flushall();
  await copy('tea');
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(30));
});

test('a new epoch sets aside entries that the hot log lost', async () => {
  await say(rig, 'tea', 100);
  await copy('tea');
  await rollBackTo(rig, 'tea', 60, '2.b');
  await say(rig, 'tea', 10, { text: 'again' });
  await copy('tea');
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(70));
  const aside = await rig.rows<{ seq: number }>("SELECT seq FROM set_aside WHERE room = 'tea' ORDER BY seq");
  assert.deepEqual(
    aside.map(({ seq }) => seq),
    upTo(100, 61),
  );
  const again = await rig.rows<{ seq: number }>(`SELECT seq FROM entries WHERE tail = '"text":"again"' ORDER BY seq`);
  assert.deepEqual(
    again.map(({ seq }) => seq),
    upTo(70, 61),
  );
});

test('a rollback that was announced late takes effect from the point where the logs differ', async () => {
  await say(rig, 'tea', 100);
  await copy('tea');
  await rollBackTo(rig, 'tea', 60);
  await say(rig, 'tea', 20, { text: 'unannounced' });
  const waits = await countOf('staleRooms');
  await copy('tea');
  assert.equal(await countOf('staleRooms'), waits + 1);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(100));
  // Like the command new-epochs.
  await rig.admin.hset(roomMetaKey('tea'), 'epoch', '2.b', 'base', 80);
  await copy('tea');
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(80));
  const rows = await rig.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM entries WHERE tail = '"text":"unannounced"'`,
  );
  assert.deepEqual(rows, [{ n: 20 }]);
});

test('a former primary of Redis changes nothing in the archive', async () => {
  await say(rig, 'tea', 50);
  await rig.admin.hset(roomMetaKey('tea'), 'epoch', '3.c', 'base', 20);
  await copy('tea');
  await rollBackTo(rig, 'tea', 40);
  await rig.admin.hset(roomMetaKey('tea'), 'epoch', '2.b');
  await copy('tea');
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(50));
});

test('after a restore of an older archive, the room no longer records entries that the archive lacks', async () => {
  await say(rig, 'tea', 100);
  await copy('tea');
  await trimTo(rig, 'tea', 81);
  await rig.admin.zadd(roomPinsKey('tea'), 70, '70', 90, '90');
  await restoreTo(40);
  const gaps = await countOf('gapEntries');
  await copy('tea');
  assert.equal(await countOf('gapEntries'), gaps + 40);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), [...upTo(40), ...upTo(100, 81)]);
  assert.deepEqual(await marksOf(rig, 'tea'), ['100', '81']);
  assert.deepEqual(await rig.admin.zrange(roomPinsKey('tea'), '0', '-1'), ['90']);
});

test('after a restore of an older archive, a large room is not trimmed beyond it', async () => {
  await say(rig, 'tea', 3_500);
  await copy('tea');
  await restoreTo(100);
  await copyRooms(['tea'], optionsOf());
  assert.deepEqual(await marksOf(rig, 'tea'), ['1100', '1']);
  await copy('tea');
  assert.deepEqual(await marksOf(rig, 'tea'), ['3500', '1']);
});

test('pins of messages that only the hot log has stay', async () => {
  await say(rig, 'tea', 50);
  await trimTo(rig, 'tea', 21);
  await rig.admin.zadd(roomPinsKey('tea'), 10, '10', 30, '30', 45, '45');
  const pins = () => rig.admin.zrange(roomPinsKey('tea'), '0', '-1');
  // Retention of an earlier release removed what the hot log has.
  const mark = { epoch: '1.a', position: 50, archivedFrom: 41, restoredFrom: undefined };
  await rig.store.mark('tea', { ...mark, hotFirst: 21 });
  assert.deepEqual(await pins(), ['30', '45']);
  await trimTo(rig, 'tea', 36);
  await rig.store.mark('tea', { ...mark, hotFirst: 36 });
  assert.deepEqual(await pins(), ['45']);
});

test('a room that is being imported is left to the import', async () => {
  await say(rig, 'tea', 20);
  await copy('tea');
  // The import writes the archive first, and the hot log last.
  await rig.admin.del(roomLogKey('tea'));
  await rig.admin.hset(roomMetaKey('tea'), { importing: 'a digest', closed: 1 });
  const waits = await countOf('staleRooms');
  await copy('tea');
  assert.equal(await countOf('staleRooms'), waits);
  assert.deepEqual(await archivedSeqs(rig, 'tea'), upTo(20));
});

async function restoreTo(position: number) {
  await rig.archive.write(async (tx) => {
    for (const table of ['entries', 'messages']) await tx.query(`DELETE FROM ${table} WHERE seq > $1`, [position]);
    await tx.query('UPDATE rooms SET position = $1', [position]);
  });
}
