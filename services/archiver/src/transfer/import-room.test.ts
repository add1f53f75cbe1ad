import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, beforeEach, test } from 'node:test';
import { roomMetaKey } from '../keys.ts';
import { archivedSeqs, type Rig, startRig, upTo } from '../testing/rig.ts';
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

async function importInto(room: string, roles: Record<string, string>, archive = rig.archive) {
  const file = await spool(Readable.from(LINES.map((line) => Buffer.from(line))));
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
