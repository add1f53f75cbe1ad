import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LIMITS } from '@maru/protocol';
import { roomLogKey, roomMetaKey, roomRolesKey, roomSanctionsKey } from '../keys.ts';
import type { Act, ActResult, RoomLog } from './room-log.ts';
import { type LogRig, message, publicRoom, startLogRig } from './testing/log-rig.ts';

let rig: LogRig;
let log: RoomLog;

before(async () => {
  rig = await startLogRig();
  log = await rig.node();
});
after(() => rig.stop());

async function roomWith(roles: Record<string, string>): Promise<string> {
  const room = await publicRoom(log);
  await rig.admin.hset(roomRolesKey(room), roles);
  return room;
}

const on = (user: string) => ({ user, reason: undefined, forMs: undefined });

const act = (room: string, userId: string, wanted: Act): Promise<ActResult> =>
  log.act({ room, userId, userName: userId, clientMsgId: undefined, act: wanted, isAdmin: false, mayStore: true });

test('a moderator cannot lift a mute of itself or of another moderator', async () => {
  const room = await roomWith({ olga: 'owner', max: 'moderator', mo: 'moderator' });
  assert.equal((await act(room, 'olga', { type: 'mute', ...on('max') })).outcome, 'stored');
  const byItself = await act(room, 'max', { type: 'unmute', ...on('max') });
  assert.deepEqual(byItself, { outcome: 'forbidden', why: 'muted' });
  const byEqual = await act(room, 'mo', { type: 'unmute', ...on('max') });
  assert.deepEqual(byEqual, { outcome: 'forbidden', why: 'rank' });
  assert.equal((await act(room, 'olga', { type: 'unmute', ...on('max') })).outcome, 'stored');
});

test('a muted user stores no entry, neither a message nor an act', async () => {
  const room = await roomWith({ olga: 'owner', max: 'moderator' });
  for (const user of ['max', 'mina'])
    assert.equal((await act(room, 'olga', { type: 'mute', ...on(user) })).outcome, 'stored');
  const { head } = await log.read(room, 'node', { mode: 'none' });
  assert.equal((await log.append(message(room, 'a'))).outcome, 'forbidden');
  const acts: Array<[string, Act]> = [
    ['mina', { type: 'role', user: 'mina', role: 'member' }],
    ['max', { type: 'role', user: 'max', role: 'member' }],
    ['max', { type: 'update', title: 'Mine' }],
    ['max', { type: 'kick', ...on('zoe') }],
  ];
  for (const [user, wanted] of acts) assert.equal((await act(room, user, wanted)).outcome, 'forbidden', wanted.type);
  assert.equal((await log.read(room, 'node', { mode: 'none' })).head, head);
});

test('a muted user who becomes an owner is muted no more, so no room has an owner who cannot act', async () => {
  const room = await roomWith({ olga: 'owner' });
  for (const role of ['moderator', 'owner'] as const) {
    await act(room, 'olga', { type: 'mute', ...on('mina') });
    assert.equal((await act(room, 'olga', { type: 'role', user: 'mina', role })).outcome, 'stored');
    assert.equal((await log.append(message(room, role))).outcome, role === 'owner' ? 'stored' : 'forbidden');
  }
  assert.equal(await rig.admin.hget(roomMetaKey(room), 'guarded'), null);
  assert.equal((await act(room, 'mina', { type: 'role', user: 'zoe', role: 'owner' })).outcome, 'stored');
});

test('a mute that an owner of a private room still has from earlier stops no act', async () => {
  const room = 'p-muted';
  await rig.admin.hset(roomMetaKey(room), { epoch: '1.a', base: 0, visibility: 'private', guarded: 1 });
  await rig.admin.hset(roomRolesKey(room), { olga: 'owner', mina: 'member', max: 'moderator' });
  await rig.admin.hset(roomSanctionsKey(room), { 'mute\nolga': '0\nmax\n', 'mute\nmax': '0\nmina\n' });
  const handOn = (by: string) => act(room, by, { type: 'role', user: by, role: 'member' });
  assert.deepEqual(await handOn('max'), { outcome: 'forbidden', why: 'muted' });
  assert.deepEqual(await handOn('olga'), { outcome: 'conflict', why: 'last_owner' });
  assert.equal((await act(room, 'olga', { type: 'role', user: 'mina', role: 'owner' })).outcome, 'stored');
  assert.equal((await handOn('olga')).outcome, 'stored');
});

test('a repeated leave gets the stored entry, and a stranger learns nothing and opens no epoch', async () => {
  const room = 'p-left';
  await rig.admin.hset(roomMetaKey(room), { epoch: '1.a', base: 0, visibility: 'private' });
  await rig.admin.hset(roomRolesKey(room), { olga: 'owner', mina: 'member' });
  assert.equal((await log.append(message(room, 'hi'))).outcome, 'stored');
  const leave = (user: string, clientMsgId: string | undefined, acted: Act = { type: 'leave', user }) =>
    log.act({ room, userId: user, userName: user, clientMsgId, act: acted, isAdmin: false, mayStore: true });
  const left = await leave('mina', 'quit');
  assert.equal(left.outcome, 'stored');
  assert.deepEqual(await leave('mina', 'quit'), { ...left, outcome: 'duplicate' });
  const hidden = { outcome: 'not_found', what: 'room' };
  const others: Array<[string, string | undefined, Act?]> = [
    ...([
      ['zoe', 'quit'],
      ['mina', undefined],
      ['mina', 'other'],
      ['mina', 'hi'],
    ] as Array<[string, string]>),
    ['mina', 'quit', { type: 'update', title: 'Mine' }],
  ];
  for (const [user, id, acted] of others) assert.deepEqual(await leave(user, id, acted), hidden, `${user} ${id}`);
  // The node has seen more of the log than there is: an act of a member would open an epoch.
  await rig.admin.del(roomLogKey(room));
  for (const user of ['zoe', 'mina']) assert.deepEqual(await leave(user, 'quit'), hidden);
  assert.equal(await rig.admin.hget(roomMetaKey(room), 'epoch'), '1.a');
});

test('a step down changes the role, so a member cannot store entries with it', async () => {
  const room = await roomWith({ olga: 'owner', max: 'moderator' });
  for (const [user, role] of [
    ['mina', 'member'],
    ['max', 'moderator'],
    ['max', 'owner'],
  ] as const)
    assert.equal((await act(room, user, { type: 'role', user, role })).outcome, 'forbidden', `${user} ${role}`);
  assert.equal((await act(room, 'max', { type: 'role', user: 'max', role: 'member' })).outcome, 'stored');
});

test('a room with the maximum of sanctions accepts another once some have ended, and checks only a few', async () => {
  const room = await roomWith({ olga: 'owner' });
  const key = roomSanctionsKey(room);
  const fill = (untilMs: number) =>
    rig.admin.hset(
      key,
      Object.fromEntries(
        Array.from({ length: LIMITS.roomPeopleMax }, (_, index) => [
          `ban\nuser-${index}`,
          `${untilMs}\nolga\n${'x'.repeat(2_000)}`,
        ]),
      ),
    );
  await fill(0);
  await rig.admin.config('RESETSTAT');
  for (let count = 0; count < 20; count++)
    assert.deepEqual(await act(room, 'olga', { type: 'ban', ...on('zoe') }), { outcome: 'conflict', why: 'full' });
  const commands = await rig.admin.info('commandstats');
  assert.doesNotMatch(commands, /cmdstat_(hgetall|hvals|hkeys):/);
  await fill(1);
  assert.equal((await act(room, 'olga', { type: 'ban', ...on('zoe') })).outcome, 'stored');
  assert.equal(await rig.admin.hexists(key, 'ban\nzoe'), 1);
});

test('a room that is being imported stays closed, and takes no acts of administrators', async () => {
  const room = await publicRoom(log);
  await rig.admin.hset(roomMetaKey(room), { closed: 1, guarded: 1, importing: 'a digest' });
  const by = { room, userId: 'ada', userName: 'ada', clientMsgId: undefined, isAdmin: true, mayStore: true };
  const acts: Act[] = [{ type: 'open' }, { type: 'close' }, { type: 'kick', ...on('mina') }];
  for (const one of acts)
    assert.deepEqual(await log.act({ ...by, act: one }), { outcome: 'conflict', why: 'importing' }, one.type);
  assert.equal((await log.append(message(room, 'a'))).outcome, 'forbidden');
  await rig.admin.hdel(roomMetaKey(room), 'importing');
  assert.equal((await log.act({ ...by, act: { type: 'open' } })).outcome, 'stored');
});
