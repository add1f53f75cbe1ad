import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Ban } from '@maru/protocol';
import { singleStore } from '@maru/redis-store';
import { roomRolesKey, roomSanctionsKey } from '../keys.ts';
import type { RoomLog } from '../log/room-log.ts';
import { type LogRig, publicRoom, startLogRig } from '../log/testing/log-rig.ts';
import type { Actor } from './acts.ts';
import { createModeration } from './moderation.ts';

let rig: LogRig;
let log: RoomLog;

before(async () => {
  rig = await startLogRig();
  log = await rig.node();
});
after(() => rig.stop());

const owner: Actor = { user: { id: 'olga', name: 'Olga' }, roles: [] };

test('bans are read in pages, in order and each once, and a page reads only its own reasons', async () => {
  const moderation = createModeration({
    store: singleStore(rig.admin),
    log,
    quota: { charge: async () => {}, giveBack() {} },
    storeNow: () => 1_000,
    onReported: () => {},
  });
  const room = await publicRoom(log);
  await rig.admin.hset(roomRolesKey(room), 'olga', 'owner');
  const users = ['a', 'b', 'c', 'd', 'e'];
  for (const user of users) await rig.admin.hset(roomSanctionsKey(room), `ban\n${user}`, `0\nolga\nreason of ${user}`);
  await rig.admin.hset(roomSanctionsKey(room), 'ban\nf', '999\nolga\nended');
  await rig.admin.config('RESETSTAT');
  const listed: Ban[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await moderation.bans(owner, { room, limit: 2, cursor });
    listed.push(...data.bans);
    cursor = data.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(
    listed,
    users.map((user) => ({ user, kind: 'ban', by: 'olga', reason: `reason of ${user}` })),
  );
  assert.doesNotMatch(await rig.admin.info('commandstats'), /cmdstat_hgetall:/);
  await assert.rejects(moderation.bans(owner, { room, limit: 2, cursor: 'ban:x' }), { code: 'invalid' });
});
