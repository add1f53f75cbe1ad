/** Roles, rules and reports of rooms, and closing and deleting them, through two gateways. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { newId } from '../support/tokens.ts';
import { codeOf, type ModerationRig, message, removals, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

test('only a higher role can act on a lower one, and a room keeps an owner', async () => {
  const { room, owner, member, ownerId, memberId } = await rig.publicRoom();
  const other = await rig.clientOf(`other-${newId()}`);
  assert.equal(await codeOf(member, 'room:kick', { room, user: ownerId }), 'forbidden');
  assert.equal(await codeOf(member, 'room:role', { room, user: memberId, role: 'owner' }), 'forbidden');
  await owner.ok('room:role', { room, user: memberId, role: 'moderator' });
  for (const event of ['room:kick', 'room:ban', 'room:mute']) {
    assert.equal(await codeOf(member, event, { room, user: ownerId }), 'forbidden', event);
    assert.equal(await codeOf(member, event, { room, user: memberId }), 'forbidden', `${event} oneself`);
    assert.equal(await codeOf(owner, event, { room, user: ownerId }), 'forbidden', `${event} oneself`);
    assert.equal(await codeOf(other, event, { room, user: memberId }), 'forbidden', event);
  }
  assert.equal(await codeOf(member, 'room:role', { room, user: 'somebody', role: 'moderator' }), 'forbidden');
  assert.equal(await codeOf(owner, 'room:role', { room, user: ownerId, role: 'member' }), 'conflict');
  await owner.ok('room:role', { room, user: memberId, role: 'owner' });
  assert.equal(await codeOf(owner, 'room:role', { room, user: memberId, role: 'member' }), 'forbidden');
  await owner.ok('room:role', { room, user: ownerId, role: 'member' });
  assert.deepEqual((await member.ok('room:members', { room })).members, [{ user: memberId, role: 'owner' }]);
  assert.equal(await codeOf(owner, 'room:kick', { room, user: memberId }), 'forbidden');
});

test('a member can quit a private room, but its last owner cannot', async () => {
  const { room, owner, member, ownerId, memberId } = await rig.privateRoom();
  const second = await rig.clientOf(memberId);
  await second.ok('room:join', { room });
  assert.equal(await codeOf(owner, 'room:quit', { room, clientMsgId: newId() }), 'conflict');
  const request = { room, clientMsgId: newId() };
  const sent = await member.ok('room:quit', request);
  const { seq } = sent;
  assert.deepEqual(await second.ok('room:quit', request), { ...sent, duplicate: true });
  await poll('the end on both connections', () => removals(member).length === 1 && removals(second).length === 1);
  assert.deepEqual(removals(second), [{ type: 'removed', room, reason: 'left' }]);
  assert.equal(await codeOf(member, 'room:join', { room }), 'not_found');
  assert.deepEqual((await owner.ok('room:members', { room })).members, [{ user: ownerId, role: 'owner' }]);
  await poll('the entry', () => owner.seqs(room).at(-1) === seq);
  assert.deepEqual(
    (await owner.ok('history:read', { room })).messages.map(({ type }) => type),
    ['room.invite', 'room.leave'],
  );
});

test('a read-only room accepts messages only from moderators, and slow mode returns the pause', async () => {
  const { room, owner, member } = await rig.publicRoom();
  const update = (fields: object) => owner.ok('room:update', { room, clientMsgId: newId(), ...fields });
  assert.equal(await codeOf(member, 'room:update', { room, clientMsgId: newId(), title: 'Mine' }), 'forbidden');
  await update({ title: 'Coffee', topic: 'Beans', readOnly: true });
  assert.equal(await codeOf(member, 'message:send', message(room)), 'forbidden');
  await owner.ok('message:send', message(room));
  const joined = await member.ok('room:join', { room });
  assert.deepEqual(
    [joined.title, joined.topic, joined.readOnly, joined.visibility],
    ['Coffee', 'Beans', true, 'public'],
  );
  await update({ readOnly: false, slowModeS: 2, topic: '' });
  await member.ok('message:send', message(room));
  const refused = (await member.request('message:send', message(room))) as {
    error: { code: string; retryAfterMs: number };
  };
  assert.equal(refused.error.code, 'rate_limited');
  assert.ok(refused.error.retryAfterMs > 0 && refused.error.retryAfterMs <= 2_000);
  for (let count = 0; count < 3; count++) await owner.ok('message:send', message(room));
  await poll('the end of the pause', async () => (await codeOf(member, 'message:send', message(room))) === 'ok');
  await update({ slowModeS: 0 });
  for (let count = 0; count < 3; count++) await member.ok('message:send', message(room));
});

test('a deleted room is gone for all users, and a new one with its name is another room', async () => {
  const { room, owner, member } = await rig.publicRoom();
  await member.ok('message:send', message(room, 'a text to be gone'));
  assert.equal(await codeOf(member, 'room:delete', { room }), 'forbidden');
  const [position] = Object.values(member.positions([room]));
  await owner.ok('room:delete', { room });
  await poll('the removals', () => [owner, member].every((client) => removals(client).length === 1));
  assert.deepEqual(removals(member), [{ type: 'removed', room, reason: 'deleted' }]);
  for (const event of ['message:send', 'history:read'])
    assert.equal(await codeOf(member, event, event === 'message:send' ? message(room) : { room }), 'not_found', event);
  const back = await rig.clientOf('somebody', 0, { resume: { [room]: position } });
  assert.equal((back.session.rooms[room] as { error: { code: string } }).error.code, 'not_found');
  const { epoch, head, title } = await member.ok('room:join', { room });
  assert.notEqual(epoch, position?.epoch);
  assert.deepEqual([head, title], [0, '']);
  await member.ok('message:send', message(room));
  await poll('its entry', () => member.seqs(room).at(-1) === 1);
  await owner.ok('room:join', { room });
  await owner.ok('message:send', message(room));
  await poll('the next one', () => member.seqs(room).at(-1) === 2);
});

test('members can report messages, and moderators see each report once and can close it', async () => {
  const { room, owner, member, memberId, ownerId } = await rig.publicRoom();
  const { seq } = await owner.ok('message:send', message(room, 'rude'));
  for (let count = 0; count < 2; count++) await member.ok('message:report', { room, seq, reason: 'rude "words"' });
  assert.equal(await codeOf(member, 'message:report', { room, seq: seq + 50, reason: 'x' }), 'not_found');
  assert.equal(await codeOf(member, 'room:reports', { room }), 'forbidden');
  const { reports } = await owner.ok('room:reports', { room });
  assert.equal(reports.length, 1);
  const [report] = reports;
  assert.deepEqual([report?.seq, report?.by, report?.from, report?.reason], [seq, memberId, ownerId, 'rude "words"']);
  await owner.ok('room:report-close', { room, id: report?.id ?? '' });
  assert.equal(await codeOf(owner, 'room:report-close', { room, id: report?.id ?? '' }), 'not_found');
  assert.deepEqual((await owner.ok('room:reports', { room })).reports, []);
});

test('n counts messages only, in entries, answers and resumes', async () => {
  const { room, owner, member, memberId } = await rig.publicRoom();
  assert.equal((await owner.ok('message:send', message(room))).n, 1);
  await owner.ok('room:mute', { room, user: memberId });
  await owner.ok('room:unmute', { room, user: memberId });
  assert.equal((await member.ok('message:send', message(room))).n, 2);
  await poll('the entries', () => owner.seqs(room).length === 4);
  assert.deepEqual(
    owner.entries(room).map(({ n }) => n),
    [1, 1, 1, 2],
  );
  const joined = await member.ok('room:join', { room });
  assert.deepEqual([joined.head, joined.n, joined.messages.map(({ n }) => n)], [4, 2, [1, 1, 1, 2]]);
  const back = await rig.clientOf('somebody', 0, { resume: { [room]: { epoch: joined.epoch, seq: 1 } } });
  assert.equal((back.session.rooms[room] as { n: number }).n, 2);
});

test('an administrator can close a room for all users, and open it again', async () => {
  const { room, owner, member } = await rig.publicRoom();
  const call = (index: number, action: string, roles: string[]) =>
    fetch(`${rig.urlOf(index)}/api/v1/admin/rooms/${room}/${action}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokenOf('root', { roles })}` },
    });
  assert.equal((await call(0, 'close', [])).status, 403);
  const closed = await call(0, 'close', ['admin']);
  assert.equal(closed.status, 200);
  await poll('the removals', () => [owner, member].every((client) => removals(client).length === 1));
  assert.deepEqual(removals(owner), [{ type: 'removed', room, reason: 'closed' }]);
  for (const event of ['room:join', 'history:read', 'room:members'] as const)
    assert.equal(await codeOf(owner, event, { room }), 'forbidden', event);
  assert.equal(await codeOf(owner, 'message:send', message(room)), 'forbidden');
  assert.equal(await codeOf(owner, 'room:update', { room, clientMsgId: newId(), title: 'x' }), 'forbidden');
  assert.equal((await call(1, 'open', ['admin'])).status, 200);
  await member.ok('room:join', { room });
  await member.ok('message:send', message(room));
});

test('an owner can delete a room over HTTP', async () => {
  const { room, member, ownerId, memberId } = await rig.publicRoom();
  const call = (sub: string) =>
    fetch(`${rig.urlOf(0)}/api/v1/rooms/${room}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${tokenOf(sub)}` },
    });
  assert.equal((await call(memberId)).status, 403);
  assert.equal((await call(ownerId)).status, 200);
  await poll('the removal', () => removals(member).length === 1);
  assert.equal((await call(ownerId)).status, 404);
});
