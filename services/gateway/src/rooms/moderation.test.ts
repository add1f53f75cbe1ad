import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Ban } from '@maru/protocol';
import { singleStore } from '@maru/redis-store';
import { roomReportsKey, roomRolesKey, roomSanctionsKey } from '../keys.ts';
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

const moderationOf = () =>
  createModeration({
    store: singleStore(rig.admin),
    log,
    quota: { charge: async () => {}, giveBack() {} },
    storeNow: () => 1_000,
    onReported: () => {},
  });

test('bans are read in pages, in order and each once, without the reasons of other pages', async () => {
  const moderation = moderationOf();
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
});

test('a page goes on after a ban or a report that is no more', async () => {
  const moderation = moderationOf();
  const room = await publicRoom(log);
  await rig.admin.hset(roomRolesKey(room), 'olga', 'owner');
  const users = async (cursor?: string) => {
    const { data } = await moderation.bans(owner, { room, limit: 2, cursor });
    return { users: data.bans.map(({ user }) => user), cursor: data.cursor };
  };
  for (const user of ['a:1', 'b', 'c', 'd', 'e'])
    await rig.admin.hset(roomSanctionsKey(room), `ban\n${user}`, '0\nolga\n');
  const first = await users();
  assert.deepEqual(first, { users: ['a:1', 'b'], cursor: 'ban:b' });
  await rig.admin.hdel(roomSanctionsKey(room), 'ban\nb', 'ban\nc');
  assert.deepEqual(await users(first.cursor), { users: ['d', 'e'], cursor: undefined });
  assert.deepEqual((await users('ban:a:1')).users, ['d', 'e']);
  assert.deepEqual((await users('mute:a')).users, []);

  const seqs = async (cursor?: string) => {
    const { data } = await moderation.reports(owner, { room, limit: 2, cursor });
    return { seqs: data.reports.map(({ seq }) => seq), cursor: data.cursor };
  };
  const report = JSON.stringify({ ts: 1, from: 'x', reason: 'spam' });
  for (const seq of [2, 9, 10, 11]) await rig.admin.hset(roomReportsKey(room), `${seq}\nmina`, report);
  const page = await seqs();
  assert.deepEqual(page, { seqs: [2, 9], cursor: '9:mina' });
  await moderation.closeReport(owner, { room, id: '9:mina' });
  assert.deepEqual(await seqs(page.cursor), { seqs: [10, 11], cursor: undefined });

  for (const cursor of ['x', 'ban:', 'role:a', '9:mina'])
    await assert.rejects(users(cursor), { code: 'invalid' }, `bans after ${cursor}`);
  for (const cursor of ['x', '9:', ':mina', 'ban:b', `${'9'.repeat(16)}:mina`])
    await assert.rejects(seqs(cursor), { code: 'invalid' }, `reports after ${cursor}`);
});
