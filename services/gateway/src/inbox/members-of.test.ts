import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LIMITS } from '@maru/protocol';
import { singleStore } from '@maru/redis-store';
import { roomRolesKey } from '../keys.ts';
import { type LogRig, startLogRig } from '../log/testing/log-rig.ts';
import { createMembersOf } from './members-of.ts';

let rig: LogRig;
before(async () => {
  rig = await startLogRig();
});
after(() => rig.stop());

const membersOf = (roomsMax = 2) => createMembersOf({ store: singleStore(rig.admin), roomsMax });
const setMembers = (room: string, ...users: string[]) =>
  rig.admin.hset(roomRolesKey(room), Object.fromEntries(users.map((user) => [user, 'member'])));

test('members of a room are read anew each time, and none of a large room', async () => {
  const read = membersOf();
  await setMembers('p-tea', 'mina');
  assert.deepEqual(await read('p-tea'), ['mina']);
  await setMembers('p-tea', 'jun');
  assert.deepEqual([...(await read('p-tea'))].sort(), ['jun', 'mina']);
  await setMembers('p-tea', ...Array.from({ length: LIMITS.receiptMembersMax }, (_, index) => `u-${index}`));
  assert.deepEqual(await read('p-tea'), []);
});

test('the users of direct rooms are cached, and the least recently used rooms are dropped', async () => {
  const read = membersOf(2);
  const rooms = ['d-1', 'd-2', 'd-3'];
  // A room that does not exist yet is not cached.
  assert.deepEqual(await read('d-1'), []);
  for (const room of rooms) await setMembers(room, 'mina', 'jun');
  for (const room of ['d-1', 'd-2', 'd-1', 'd-3']) assert.deepEqual(await read(room), ['mina', 'jun']);
  for (const room of rooms) await rig.admin.del(roomRolesKey(room));
  assert.deepEqual([await read('d-1'), await read('d-3'), await read('d-2')], [['mina', 'jun'], ['mina', 'jun'], []]);
});
