/** An exported room has no text whose deletion was acknowledged. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { copyRooms } from '../copy/copy-rooms.ts';
import { roomLogKey, roomMetaKey } from '../keys.ts';
import { erase, type Rig, rollBackTo, say, startRig, upTo } from '../testing/rig.ts';
import { exportRoom } from './export-room.ts';
import { ExportRefused } from './hot-room.ts';

let rig: Rig;
before(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
after(() => rig.stop());

interface Line {
  seq: number;
  text?: string;
  data?: object;
  erased?: true;
}

async function exported(room: string, between?: () => Promise<unknown>): Promise<Line[]> {
  let text = '';
  for await (const part of exportRoom({ archive: rig.archive, store: rig.redis, room })) {
    text += part.text;
    if (part.entries > 0) await between?.();
  }
  const lines = text.trimEnd().split('\n').slice(1);
  return lines.map((line) => JSON.parse(line) as Line);
}

async function archiveAll(room: string) {
  const options = { ...rig, archive: rig.rooms, askForTrim: async () => {} };
  while ((await copyRooms([room], options)).get(room)?.is !== 'done');
}

/** A change of a message, as a gateway appends it. */
async function append(room: string, type: 'edit' | 'delete', data: { seq: number; text?: string }) {
  const [newest] = await rig.admin.xrevrange(roomLogKey(room), '+', '-', 'COUNT', 1);
  const seq = Number.parseInt(newest?.[0] ?? '0', 10) + 1;
  const head = `"n":1,"type":"message.${type}","from":{"id":"mina","name":"Mina"},"clientMsgId":"c-${seq}"`;
  const fields = ['u', 'mina', 'c', `c-${seq}`, 't', Date.now(), 'h', head, 'x', `"data":${JSON.stringify(data)}`];
  await rig.admin.xadd(roomLogKey(room), `${seq}-0`, ...fields, 'l', '1');
  return seq;
}

test('deletions that the archive lacks erase messages and their edits, also while the export runs', async () => {
  await say(rig, 'tea', 1_200);
  const edit = await append('tea', 'edit', { seq: 3, text: 'secret' });
  await archiveAll('tea');
  await say(rig, 'tea', 1);
  await append('tea', 'delete', { seq: 3 });
  await erase(rig, 'tea', 3);
  let isLater = false;
  const lines = await exported('tea', async () => {
    if (!isLater) await append('tea', 'delete', { seq: 900 });
    isLater = true;
  });
  assert.deepEqual(
    lines.filter(({ erased }) => erased).map(({ seq }) => seq),
    [3, 900, edit],
  );
  assert.deepEqual([lines[2]?.text, lines[899]?.text, lines[edit - 1]?.data], [undefined, undefined, { seq: 3 }]);
  assert.deepEqual(
    lines.map(({ seq }) => seq),
    upTo(edit + 3),
  );
});

test('a deletion after a rollback counts before the archive follows', async () => {
  await say(rig, 'tea', 20);
  await archiveAll('tea');
  await rollBackTo(rig, 'tea', 10, '2.b');
  await append('tea', 'delete', { seq: 5 });
  const lines = await exported('tea');
  assert.deepEqual([lines.length, lines[4]?.text, lines[10]?.data], [11, undefined, { seq: 5 }]);
});

test('a deleted room is not exported, and one that was made again has only its new entries', async () => {
  await say(rig, 'tea', 5);
  await archiveAll('tea');
  await rig.admin.del(roomLogKey('tea'), roomMetaKey('tea'));
  await rig.admin.hset(roomMetaKey('tea'), { epoch: '2.d', base: 0, deleted: 1, cleared: 2 });
  await assert.rejects(exported('tea'), ExportRefused);
  await rig.admin.del(roomMetaKey('tea'));
  await rig.admin.hset(roomMetaKey('tea'), { epoch: '3.e', base: 0, cleared: 2 });
  await say(rig, 'tea', 2, { text: 'new' });
  assert.deepEqual(
    (await exported('tea')).map(({ seq, text }) => [seq, text]),
    [
      [1, 'new'],
      [2, 'new'],
    ],
  );
});

test('a room that is deleted during its export ends it', async () => {
  await say(rig, 'tea', 1_200);
  await archiveAll('tea');
  const remove = () => rig.admin.hset(roomMetaKey('tea'), { epoch: '2.d', deleted: 1, cleared: 2 });
  await assert.rejects(exported('tea', remove), /deleted/);
});
