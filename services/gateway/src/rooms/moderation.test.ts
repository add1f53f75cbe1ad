import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Ban } from '@maru/protocol';
import { singleStore } from '@maru/redis-store';
import type { AuditEvent } from '../audit/audit.ts';
import { roomMetaKey, roomReportsKey, roomRolesKey, roomSanctionsKey } from '../keys.ts';
import type { RoomLog } from '../log/room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from '../log/testing/log-rig.ts';
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
const root: Actor = { user: { id: 'root', name: 'Root' }, roles: ['admin'] };

const audited: AuditEvent[] = [];
const moderationOf = () =>
  createModeration({
    store: singleStore(rig.admin),
    log,
    quota: { charge: async () => {}, giveBack() {} },
    audit: { record: (event) => void audited.push(event) },
    storeNow: () => 1_000,
    onReported: () => {},
  });

test('a report that is closed is in the audit, with the author of its message', async () => {
  const moderation = moderationOf();
  const room = await publicRoom(log);
  await rig.admin.hset(roomRolesKey(room), 'olga', 'owner');
  await log.append({ ...message(room, 'a'), userId: 'olga' });
  const { head: seq } = await log.read(room, 'node', { mode: 'none' });
  await moderation.report({ user: { id: 'jun', name: 'Jun' }, roles: [] }, { room, seq, reason: 'a secret' });
  await moderation.closeReport(owner, { room, id: `${seq}:jun` });
  assert.deepEqual(audited.splice(0), [{ action: 'room.report-close', by: 'olga', user: 'olga', room, seq }]);
  await assert.rejects(moderation.closeReport(owner, { room, id: `${seq}:jun` }), { code: 'not_found' });
  assert.deepEqual(audited, []);
});

test('an administrator moderates a public room that is closed, or that bans the administrator', async () => {
  const moderation = moderationOf();
  const room = await publicRoom(log);
  const of = { room, clientMsgId: undefined, mayStore: true };
  const chief = { userId: 'root', userName: 'Root', isAdmin: true };
  await rig.admin.hset(roomRolesKey(room), 'olga', 'owner');
  await log.append(message(room, 'a'));
  const { head: seq } = await log.read(room, 'node', { mode: 'none' });
  const ban = { type: 'ban', user: 'root', reason: undefined, forMs: undefined } as const;
  const banned = await log.act({ ...of, userId: 'olga', userName: 'Olga', isAdmin: false, act: ban });
  assert.equal(banned.outcome, 'stored');
  assert.equal((await log.act({ ...of, ...chief, act: { type: 'close' } })).outcome, 'stored');
  assert.equal((await moderation.bans(root, { room, limit: 5 })).data.bans[0]?.user, 'root');
  await moderation.reports(root, { room, limit: 5 });
  await assert.rejects(moderation.reports(owner, { room, limit: 5 }), { code: 'forbidden' });
  const deletion = { ...of, clientMsgId: 'd-1', change: { type: 'delete', seq, reason: undefined } } as const;
  assert.equal(
    (await log.change({ ...deletion, userId: 'olga', userName: 'Olga', isAdmin: false })).outcome,
    'forbidden',
  );
  assert.equal((await log.change({ ...deletion, ...chief })).outcome, 'stored');
  assert.equal(
    (await log.act({ ...of, ...chief, act: { type: 'unban', user: 'root', reason: undefined } })).outcome,
    'stored',
  );
  await assert.rejects(moderation.bans(root, { room: 'p-absent', limit: 5 }), { code: 'not_found' });
});

test('nobody deletes in a room that is being imported, because the import replaces its log', async () => {
  const room = await publicRoom(log);
  await log.append(message(room, 'a'));
  const { head: seq } = await log.read(room, 'node', { mode: 'none' });
  await rig.admin.hset(roomMetaKey(room), { closed: 1, guarded: 1, importing: 'a digest' });
  const deletion = { room, clientMsgId: 'd-1', mayStore: true, change: { type: 'delete', seq, reason: undefined } };
  const chief = { userId: 'root', userName: 'Root', isAdmin: true };
  assert.equal((await log.change({ ...deletion, ...chief } as Parameters<RoomLog['change']>[0])).outcome, 'forbidden');
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
