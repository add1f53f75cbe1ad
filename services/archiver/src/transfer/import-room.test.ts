import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, beforeEach, test } from 'node:test';
import { roomLogKey, roomMetaKey } from '../keys.ts';
import { archivedSeqs, type Rig, say, startRig, upTo } from '../testing/rig.ts';
import { exportRoom } from './export-room.ts';
import { importRoom } from './import-room.ts';
import { roomReadsKey, roomRolesKey } from './keys.ts';
import { spool } from './spool.ts';

let rig: Rig;
before(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
after(() => rig.stop());

const LINES = [1, 2, 3].map((ts) => `${JSON.stringify({ ts, from: 'mina', text: `text ${ts}` })}\n`);

async function importInto(room: string, roles: Record<string, string>, archive = rig.archive, lines = LINES) {
  const file = await spool(Readable.from(lines.map((line) => Buffer.from(line))));
  const options = { archive, store: rig.redis, file, room, roles, title: undefined, nowMs: Date.now() };
  try {
    return await importRoom({ ...options, onProgress: () => {} });
  } finally {
    await file.remove();
  }
}

test('a repeated import leaves nothing of an earlier attempt', async () => {
  const room = 'p-1';
  const planted = new Error('planted');
  const failing = { ...rig.archive, write: () => Promise.reject(planted) };
  await assert.rejects(importInto(room, { mina: 'owner' }, failing), planted);
  assert.equal(await rig.admin.hexists(roomMetaKey(room), 'importing'), 1);
  // It was interrupted between the members and the end.
  await rig.admin.hset(roomRolesKey(room), { mina: 'owner', jun: 'moderator' });
  await rig.admin.hset(roomReadsKey(room), 'jun', '3 3');
  await importInto(room, { mina: 'owner', bo: 'member' });
  assert.deepEqual(await archivedSeqs(rig, room), upTo(3));
  assert.deepEqual(await rig.admin.hgetall(roomRolesKey(room)), { mina: 'owner', bo: 'member' });
  assert.deepEqual(await rig.admin.hgetall(roomReadsKey(room)), { mina: '3 3', bo: '3 3' });
  assert.equal(await rig.admin.hexists(roomMetaKey(room), 'importing'), 0);
});

test('a file that an export wrote becomes the same room, whatever the clock and the texts were', async () => {
  await rig.admin.hset(roomMetaKey('tea'), 'visibility', 'public');
  await say(rig, 'tea', 2, { text: 'a\u2028b\u2029c' });
  const [, last] = await rig.admin.xrange(roomLogKey('tea'), '-', '+');
  const fields = last?.[1].map((value, index) => (index === 5 ? '1000' : value)) ?? [];
  await rig.admin.xadd(roomLogKey('tea'), '3-0', ...fields);
  const parts: string[] = [];
  for await (const { text } of exportRoom({ archive: rig.archive, store: rig.redis, room: 'tea' })) parts.push(text);
  assert.equal((await importInto('tea2', {}, rig.archive, parts)).entries, 3);
  const rows = await rig.rows<{ tail: string; ts: number }>('SELECT tail, ts FROM entries ORDER BY seq');
  assert.deepEqual(
    rows.map(({ tail }) => tail),
    Array(3).fill('"text":"a\u2028b\u2029c"'),
  );
  assert.equal(rows[2]?.ts, rows[1]?.ts);
});
