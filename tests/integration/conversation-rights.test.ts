/** Reactions, pins, and who may change messages, through two gateways. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LIMITS, type SendData } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { newId } from '../support/tokens.ts';
import { about, changesOf, emojiOf, messageAt, range, say } from './conversations-setup.ts';
import { codeOf, type ModerationRig, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;

before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

describe('reactions', () => {
  test('count their users in the order of reacting, for every reader', async () => {
    const { room, owner, member, ownerId, memberId } = await rig.publicRoom();
    const { seq } = await say(owner, room);
    const react = (client: TestClient, emoji: string, active = true) =>
      client.ok('message:react', about(room, seq, { emoji, active }));
    await react(member, '👍');
    await react(owner, '👍');
    await react(owner, '🎉');
    const before = (await owner.ok('room:join', { room, limit: 1 })).head;
    const same = await react(member, '👍');
    assert.deepEqual([same.duplicate, same.seq], [true, before]);
    assert.deepEqual((await react(member, '🎉', false)).duplicate, true);
    const seenBy = async (client: TestClient) => (await messageAt(client, room, seq)).reactions;
    assert.deepEqual(await seenBy(member), [
      { emoji: '👍', count: 2, mine: true, users: [memberId, ownerId] },
      { emoji: '🎉', count: 1, mine: false, users: [ownerId] },
    ]);
    await react(member, '👍', false);
    await react(owner, '🎉', false);
    const left = { emoji: '👍', count: 1, users: [ownerId] };
    assert.deepEqual(await seenBy(member), [{ ...left, mine: false }]);
    assert.deepEqual(await seenBy(owner), [{ ...left, mine: true }]);
    // A page of history is shared between users, except for the user's own parts.
    const pages = await Promise.all([owner, member].map((client) => client.ok('history:read', { room, limit: 200 })));
    assert.deepEqual(
      pages.map(({ messages }) => messages[0]?.reactions?.[0]?.mine),
      [true, false],
    );
  });

  test('have at most 20 different emoji on a message, and more users may use the same one', async () => {
    const { room, owner, member } = await rig.publicRoom();
    const { seq } = await say(owner, room);
    const emoji = emojiOf(LIMITS.emojiPerMessageMax + 1);
    const last = emoji.pop();
    for (const one of emoji) await owner.ok('message:react', about(room, seq, { emoji: one, active: true }));
    const more = () => codeOf(member, 'message:react', about(room, seq, { emoji: last, active: true }));
    assert.equal(await more(), 'conflict');
    await member.ok('message:react', about(room, seq, { emoji: emoji[0], active: true }));
    await owner.ok('message:react', about(room, seq, { emoji: emoji[1], active: false }));
    assert.equal(await more(), 'ok');
    assert.equal((await messageAt(owner, room, seq)).reactions?.length, LIMITS.emojiPerMessageMax);
  });
});

describe('pins', () => {
  test('are for moderators, and in a direct room for both users', async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
    const { seq } = await say(member, room);
    assert.equal(await codeOf(member, 'message:pin', about(room, seq, { active: true })), 'forbidden');
    await owner.ok('message:pin', about(room, seq, { active: true }));
    assert.equal((await owner.ok('message:pin', about(room, seq, { active: true }))).duplicate, true);
    const pinned = async () => (await member.ok('messages:read', { room, pinned: true })).messages;
    assert.deepEqual(
      (await pinned()).map((message) => [message.seq, message.pinned]),
      [[seq, true]],
    );
    await owner.ok('message:pin', about(room, seq, { active: false }));
    assert.deepEqual(await pinned(), []);
    assert.equal((await messageAt(member, room, seq)).pinned, undefined);

    const direct = (await owner.ok('room:create', { visibility: 'direct', user: memberId })).room;
    const sent = await say(owner, direct);
    for (const client of [member, owner])
      for (const active of [true, false]) await client.ok('message:pin', about(direct, sent.seq, { active }));
  });

  test('are at most 100 in a room', async () => {
    const { room, owner } = await rig.publicRoom();
    const all = await Promise.all(range(0, LIMITS.pinsPerRoomMax).map(() => say(owner, room)));
    const pin = ({ seq }: SendData, active = true) => codeOf(owner, 'message:pin', about(room, seq, { active }));
    const outcomes = await Promise.all(all.slice(1).map((sent) => pin(sent)));
    assert.deepEqual(new Set(outcomes), new Set(['ok']));
    const [first, second] = all as [SendData, SendData];
    assert.equal(await pin(first), 'conflict');
    assert.equal(await pin(second, false), 'ok');
    assert.equal(await pin(first), 'ok');
    const { messages, hasMore } = await owner.ok('messages:read', { room, pinned: true, limit: 200 });
    assert.deepEqual([messages.length, hasMore], [LIMITS.pinsPerRoomMax, false]);
  });
});

describe('users without the right to write', () => {
  const outcomes = async (client: TestClient, room: string, own: number) =>
    Object.fromEntries(
      await Promise.all(
        changesOf(room, own)
          .filter(([event]) => event !== 'message:pin')
          .map(async ([event, request]) => [event, await codeOf(client, event, request)]),
      ),
    );
  const all = (code: string) => ({
    'message:edit': code,
    'message:react': code,
    'message:send': code,
    'message:delete': code,
  });

  test('a muted, banned or kicked user changes nothing', async () => {
    for (const act of ['room:mute', 'room:ban', 'room:kick'] as const) {
      const { room, owner, member, memberId } = await rig.publicRoom();
      const { seq } = await say(member, room);
      await owner.ok(act, { room, user: memberId });
      assert.deepEqual(await outcomes(member, room, seq), all('forbidden'), act);
      assert.equal((await messageAt(owner, room, seq)).text, 'x');
    }
  });

  test('a stranger does not find a private room, and a stored change is acknowledged even after a mute', async () => {
    const { room, owner, member, memberId } = await rig.privateRoom();
    const { seq } = await say(member, room);
    const stranger = await rig.clientOf(`stranger-${newId()}`, 1);
    assert.deepEqual(await outcomes(stranger, room, seq), all('not_found'));
    assert.equal(await codeOf(stranger, 'messages:read', { room }), 'not_found');
    const edit = about(room, seq, { text: 'edited' });
    const first = await member.ok('message:edit', edit);
    await owner.ok('room:mute', { room, user: memberId });
    assert.deepEqual(await member.ok('message:edit', edit), { ...first, duplicate: true });
    await owner.ok('room:kick', { room, user: memberId });
    assert.deepEqual(await outcomes(member, room, seq), all('not_found'));
  });

  test('in a read-only room a member may only delete, and in slow mode only messages wait', async () => {
    const { room, owner, member } = await rig.publicRoom();
    const { seq } = await say(member, room);
    await owner.ok('room:update', { room, clientMsgId: newId(), readOnly: true });
    const codes = await outcomes(member, room, seq);
    assert.deepEqual(codes, { ...all('forbidden'), 'message:delete': 'ok' });
    for (const [event, request] of changesOf(room, (await say(owner, room)).seq))
      assert.equal(await codeOf(owner, event, request), 'ok', event);

    await owner.ok('room:update', { room, clientMsgId: newId(), readOnly: false, slowModeS: 30 });
    const sent = await say(member, room, 'with a mention', { mentions: ['jun'] });
    const reply = { room, clientMsgId: newId(), text: 'x', thread: sent.seq };
    const { retryAfterMs = 0 } = await member.refused('rate_limited', 'message:send', reply);
    assert.ok(retryAfterMs > 20_000, `${retryAfterMs}`);
    for (const [event, request] of changesOf(room, sent.seq).filter(([event]) => !/send|pin/.test(event)))
      assert.equal(await codeOf(member, event, request), 'ok', event);
  });
});
