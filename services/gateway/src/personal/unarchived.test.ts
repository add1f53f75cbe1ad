import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { singleStore } from '@maru/redis-store';
import { roomMetaKey } from '../keys.ts';
import { type LogRig, message, publicRoom, startLogRig } from '../log/testing/log-rig.ts';
import { isArchived, readUnarchived, TooFarBehind } from './unarchived.ts';

let rig: LogRig;
before(async () => {
  rig = await startLogRig();
});
after(() => rig.stop());

test('an entry counts as archived only when the archiver has noted it', async () => {
  const log = await rig.node();
  const store = singleStore(rig.admin);
  const [room, other] = [await publicRoom(log), await publicRoom(log)];
  for (let seq = 1; seq <= 3; seq++) await log.append(message(room, `id-${seq}`));
  await log.append({ ...message(other, 'id'), userId: 'jun' });
  const isOf = (user: string) => isArchived(store, ({ author }) => author === user);
  const note = (seq: number) => rig.admin.hset(roomMetaKey(room), 'archived', seq);
  assert.deepEqual([await isOf('mina'), await isOf('jun'), await isOf('bo')], [false, false, true]);
  await note(2);
  assert.equal(await isOf('mina'), false);
  await note(3);
  assert.deepEqual([await isOf('mina'), await isOf('jun')], [true, false]);
});

test('an archive that is far behind is not read completely', async () => {
  const log = await rig.node();
  const store = singleStore(rig.admin);
  const room = await publicRoom(log);
  for (let seq = 1; seq <= 3; seq++) await log.append(message(room, `id-${seq}`));
  const budget = { entries: 2 };
  await assert.rejects(async () => {
    for await (const _ of readUnarchived(store, [room], budget));
  }, TooFarBehind);
  assert.equal(budget.entries, -1);
});
