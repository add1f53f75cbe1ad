/** Bans, kicks and mutes, through two gateways: the decision of the log applies on every node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { ActData, Entry, PresenceDiff } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { newId } from '../support/tokens.ts';
import { codeOf, type ModerationRig, message, removals, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

describe('a ban', () => {
  test("ends writing, reading and the subscription on another node, at its place in the log's order", async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
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
    const back = await rig.clientOf(memberId, 0, { resume: { [room]: { epoch: position?.epoch, seq: 1 } } });
    assert.equal((back.session.rooms[room] as { error: { code: string } }).error.code, 'forbidden');
    assert.deepEqual(back.entries(room), []);
  });

  test('is listed, ends when it is lifted or expires, and is repeated only by its clientMsgId', async () => {
    const { room, owner, member, ownerId, memberId } = await rig.publicRoom();
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

  test('keeps a user out of a private room permanently, and an invitation is refused until it is lifted', async () => {
    const { room, owner, member, memberId } = await rig.privateRoom();
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
  test('lasts for a limited time in a public room', async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
    await owner.ok('room:kick', { room, user: memberId, forMs: 1_000 });
    await poll('the removal', () => removals(member).length === 1);
    assert.equal(await codeOf(member, 'message:send', message(room)), 'forbidden');
    assert.equal(await codeOf(member, 'room:leave', { room }), 'ok');
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
    const { room, owner, member, memberId } = await rig.privateRoom();
    for (const client of [owner, member]) await client.ok('presence:watch', { room });
    const { seq } = (await owner.ok('room:kick', { room, user: memberId })) as ActData;
    await owner.ok('message:send', message(room));
    await poll('the removal', () => removals(member).length === 1);
    assert.equal(member.seqs(room).at(-1), seq);
    for (const event of ['room:join', 'history:read', 'room:members', 'presence:watch'])
      assert.equal(await codeOf(member, event, { room }), 'not_found', event);
    assert.equal(await codeOf(owner, 'room:kick', { room, user: memberId }), 'not_found');
    const friend = await rig.clientOf('friend', 1);
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

test('a mute prevents writing, appears in the answer to a join, and a stored message is still acknowledged', async () => {
  const { room, owner, member, memberId } = await rig.publicRoom();
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
