/** Roles and moderation, through two gateways: what the log decides holds on every node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { ActData, ClientEventName, Entry, PresenceDiff, RoomEvent } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';

let cluster: Gateways;
const open: TestClient[] = [];

before(async () => {
  cluster = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
});
after(async () => {
  for (const client of open) client.close();
  await cluster?.stop();
});

async function clientOf(sub: string, index = 0, claims: Record<string, unknown> = {}): Promise<TestClient> {
  const client = await connect(cluster.gateways[index]?.url as string, { token: tokenOf(sub, claims) });
  open.push(client);
  return client;
}

const message = (room: string, text = 'x') => ({ room, clientMsgId: newId(), text });
const removals = (client: TestClient) =>
  client.payloads<RoomEvent>('room:event').filter(({ type }) => type === 'removed');
const typesOf = (entries: Entry[]) => entries.map(({ type }) => type);

async function codeOf(client: TestClient, event: string, payload: object): Promise<string> {
  const ack = (await client.request(event as ClientEventName, payload)) as { ok: boolean; error?: { code: string } };
  return ack.ok ? 'ok' : (ack.error?.code ?? 'none');
}

/** A public room with an owner on the first gateway, and a member on the second. */
async function publicRoom() {
  const [ownerId, memberId] = [`owner-${newId()}`, `member-${newId()}`];
  const [owner, member] = await Promise.all([clientOf(ownerId), clientOf(memberId, 1)]);
  const room = newRoom('mod');
  await owner.ok('room:create', { room, title: 'Tea' });
  for (const client of [owner, member]) await client.ok('room:join', { room });
  return { room, owner, member, ownerId, memberId };
}

async function privateRoom() {
  const [ownerId, memberId] = [`owner-${newId()}`, `member-${newId()}`];
  const [owner, member] = await Promise.all([clientOf(ownerId), clientOf(memberId, 1)]);
  const { room } = await owner.ok('room:create', { visibility: 'private' });
  await owner.ok('room:invite', { room, user: memberId });
  for (const client of [owner, member]) await client.ok('room:join', { room });
  return { room, owner, member, ownerId, memberId };
}

describe('a ban', () => {
  test('ends writing, reading and the subscription on another node, at its own place in the order', async () => {
    const { room, owner, member, memberId } = await publicRoom();
    await owner.ok('message:send', message(room, 'before'));
    const { seq } = (await owner.ok('room:ban', { room, user: memberId, reason: 'spam' })) as ActData;
    await owner.ok('message:send', message(room, 'after'));
    await poll('the removal', () => removals(member).length === 1);
    assert.deepEqual(removals(member), [{ type: 'removed', room, reason: 'banned' }]);
    await poll('the entries', () => owner.seqs(room).at(-1) === seq + 1);
    assert.equal(member.seqs(room).at(-1), seq);
    const act = owner.entries(room).find((entry) => entry.seq === seq);
    assert.deepEqual([act?.type, act?.data], ['room.ban', { user: memberId, reason: 'spam' }]);
    for (const [event, payload] of [
      ['message:send', message(room)],
      ['room:join', { room }],
      ['history:read', { room }],
      ['presence:watch', { room }],
      ['typing', { room, active: true }],
      ['room:members', { room }],
    ] as const)
      assert.equal(await codeOf(member, event, payload), 'forbidden', event);
    const [position] = Object.values(owner.positions([room]));
    const back = await connect(cluster.gateways[0]?.url as string, {
      token: tokenOf(memberId),
      resume: { [room]: { epoch: position?.epoch, seq: 1 } },
    });
    open.push(back);
    assert.equal((back.session.rooms[room] as { error: { code: string } }).error.code, 'forbidden');
    assert.deepEqual(back.entries(room), []);
  });

  test('is listed, ends when it is lifted or its time is over, and is repeated by its clientMsgId only', async () => {
    const { room, owner, member, ownerId, memberId } = await publicRoom();
    const clientMsgId = newId();
    const ban = { room, clientMsgId, user: memberId, reason: 'loud' };
    const { seq } = (await owner.ok('room:ban', ban)) as ActData;
    assert.equal(((await owner.ok('room:ban', ban)) as ActData).seq, seq);
    assert.equal(await codeOf(owner, 'room:ban', { ...ban, reason: 'other' }), 'conflict');
    assert.deepEqual((await owner.ok('room:bans', { room })).bans, [
      { user: memberId, kind: 'ban', by: ownerId, reason: 'loud' },
    ]);
    assert.equal(await codeOf(member, 'room:bans', { room }), 'forbidden');
    await owner.ok('room:unban', { room, user: memberId });
    assert.equal(await codeOf(owner, 'room:unban', { room, user: memberId }), 'conflict');
    await member.ok('room:join', { room });
    await owner.ok('room:ban', { room, user: memberId, forMs: 1_000 });
    const [listed] = (await owner.ok('room:bans', { room })).bans;
    assert.ok((listed?.untilTs ?? 0) > Date.now() - 5_000);
    assert.equal(await codeOf(member, 'room:join', { room }), 'forbidden');
    await poll('the end of the ban', async () => (await codeOf(member, 'room:join', { room })) === 'ok');
    await member.ok('message:send', message(room));
    assert.deepEqual((await owner.ok('room:bans', { room })).bans, []);
  });

  test('keeps a user out of a private room for good, and an invitation is refused until it is lifted', async () => {
    const { room, owner, member, memberId } = await privateRoom();
    await owner.ok('room:ban', { room, user: memberId });
    await poll('the removal', () => removals(member).length === 1);
    assert.equal(await codeOf(member, 'history:read', { room }), 'not_found');
    assert.equal(await codeOf(owner, 'room:invite', { room, user: memberId }), 'conflict');
    await owner.ok('room:unban', { room, user: memberId });
    await owner.ok('room:invite', { room, user: memberId });
    await member.ok('room:join', { room });
  });
});

describe('a kick', () => {
  test('lasts for a while in a public room', async () => {
    const { room, owner, member, memberId } = await publicRoom();
    await owner.ok('room:kick', { room, user: memberId, forMs: 1_000 });
    await poll('the removal', () => removals(member).length === 1);
    assert.equal(await codeOf(member, 'message:send', message(room)), 'forbidden');
    await poll('the end', async () => (await codeOf(member, 'room:join', { room })) === 'ok');
    await owner.ok('room:kick', { room, user: memberId });
    const kicks = () => owner.entries(room).filter(({ type }) => type === 'room.kick');
    await poll('the second kick', () => kicks().length === 2);
    const { data } = kicks().at(-1) as Entry;
    const { untilTs } = data as { untilTs: number };
    assert.ok(Math.abs(untilTs - Date.now() - 60_000) < 10_000);
    assert.deepEqual((await owner.ok('room:bans', { room })).bans, []);
  });

  test('ends the membership of a private room, and the watch of its presence', async () => {
    const { room, owner, member, memberId } = await privateRoom();
    for (const client of [owner, member]) await client.ok('presence:watch', { room });
    const { seq } = (await owner.ok('room:kick', { room, user: memberId })) as ActData;
    await owner.ok('message:send', message(room));
    await poll('the removal', () => removals(member).length === 1);
    assert.equal(member.seqs(room).at(-1), seq);
    for (const event of ['room:join', 'history:read', 'room:members', 'presence:watch'])
      assert.equal(await codeOf(member, event, { room }), 'not_found', event);
    assert.equal(await codeOf(owner, 'room:kick', { room, user: memberId }), 'not_found');
    const friend = await clientOf('friend', 1);
    await owner.ok('room:invite', { room, user: 'friend' });
    await friend.ok('room:join', { room });
    const seenBy = (client: TestClient) =>
      client.payloads<PresenceDiff>('presence').some(({ joins }) => joins.some(({ id }) => id === 'friend'));
    await poll('the arrival', () => seenBy(owner));
    // Both gateways get the same publication.
    await setTimeout(200);
    assert.equal(seenBy(member), false);
  });
});

test('a mute keeps from writing, is shown by a join, and a stored message is still acknowledged', async () => {
  const { room, owner, member, memberId } = await publicRoom();
  const sent = message(room);
  const first = await member.ok('message:send', sent);
  await owner.ok('room:mute', { room, user: memberId });
  assert.equal(await codeOf(member, 'message:send', message(room)), 'forbidden');
  assert.deepEqual(await member.ok('message:send', sent), { ...first, duplicate: true });
  assert.equal((await member.ok('room:join', { room })).mutedUntilTs, 0);
  assert.deepEqual(
    (await owner.ok('room:bans', { room })).bans.map(({ user, kind }) => [user, kind]),
    [[memberId, 'mute']],
  );
  await owner.ok('room:unmute', { room, user: memberId });
  await member.ok('message:send', message(room));
  assert.equal(removals(member).length, 0);
});

test('only a higher role acts on a lower one, and a room keeps an owner', async () => {
  const { room, owner, member, ownerId, memberId } = await publicRoom();
  const other = await clientOf(`other-${newId()}`);
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

test('a member quits a private room; its last owner cannot', async () => {
  const { room, owner, member, ownerId, memberId } = await privateRoom();
  const second = await clientOf(memberId);
  await second.ok('room:join', { room });
  assert.equal(await codeOf(owner, 'room:quit', { room, clientMsgId: newId() }), 'conflict');
  const { seq } = await member.ok('room:quit', { room, clientMsgId: newId() });
  await poll('the end on both connections', () => removals(member).length === 1 && removals(second).length === 1);
  assert.deepEqual(removals(second), [{ type: 'removed', room, reason: 'left' }]);
  assert.equal(await codeOf(member, 'room:join', { room }), 'not_found');
  assert.deepEqual((await owner.ok('room:members', { room })).members, [{ user: ownerId, role: 'owner' }]);
  await poll('the entry', () => owner.seqs(room).at(-1) === seq);
  assert.deepEqual(typesOf((await owner.ok('history:read', { room })).messages), ['room.invite', 'room.leave']);
});

test('a read-only room takes messages of moderators only, and slow mode names the pause', async () => {
  const { room, owner, member } = await publicRoom();
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

test('a deleted room is gone for everybody, and a new one of its name is another room', async () => {
  const { room, owner, member } = await publicRoom();
  await member.ok('message:send', message(room, 'a text to be gone'));
  assert.equal(await codeOf(member, 'room:delete', { room }), 'forbidden');
  const [position] = Object.values(member.positions([room]));
  await owner.ok('room:delete', { room });
  await poll('the removals', () => [owner, member].every((client) => removals(client).length === 1));
  assert.deepEqual(removals(member), [{ type: 'removed', room, reason: 'deleted' }]);
  for (const event of ['message:send', 'history:read'])
    assert.equal(await codeOf(member, event, event === 'message:send' ? message(room) : { room }), 'not_found', event);
  const back = await connect(cluster.gateways[0]?.url as string, {
    token: tokenOf('somebody'),
    resume: { [room]: position },
  });
  open.push(back);
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

test('members report messages, moderators see each report once and close it', async () => {
  const { room, owner, member, memberId, ownerId } = await publicRoom();
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
  const { room, owner, member, memberId } = await publicRoom();
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
  const back = await connect(cluster.gateways[0]?.url as string, {
    token: tokenOf('somebody'),
    resume: { [room]: { epoch: joined.epoch, seq: 1 } },
  });
  open.push(back);
  assert.equal((back.session.rooms[room] as { n: number }).n, 2);
});

test('an administrator closes a room for everybody, and opens it again', async () => {
  const { room, owner, member } = await publicRoom();
  const call = (index: number, action: string, roles: string[]) =>
    fetch(`${cluster.gateways[index]?.url}/api/v1/admin/rooms/${room}/${action}`, {
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

test('an owner deletes a room over HTTP', async () => {
  const { room, member, ownerId, memberId } = await publicRoom();
  const call = (sub: string) =>
    fetch(`${cluster.gateways[0]?.url}/api/v1/rooms/${room}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${tokenOf(sub)}` },
    });
  assert.equal((await call(memberId)).status, 403);
  assert.equal((await call(ownerId)).status, 200);
  await poll('the removal', () => removals(member).length === 1);
  assert.equal((await call(ownerId)).status, 404);
});
