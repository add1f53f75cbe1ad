/** Every HTTP call that corresponds to an event succeeds, and sockets see its effect. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { EVENT_CALLS } from '@maru/protocol/calls';
import { assertHttpAnswer } from '@maru/protocol/describe';
import type { TestClient } from '../support/client.ts';
import { tokenOf } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type HttpRig, type Options, startHttpRig } from './http-setup.ts';
import { message } from './moderation-setup.ts';

let rig: HttpRig;
before(async () => {
  rig = await startHttpRig();
});
after(() => rig?.stop());

/** The newest message of a room, as a connection gets it. */
const newest = async (client: TestClient, room: string): Promise<Entry> =>
  (await client.ok('history:read', { room })).messages.at(-1) as Entry;

describe('rooms', () => {
  test('are created, described, changed and deleted', async () => {
    const [owner, room] = [`owner-${newId()}`, newRoom('http')];
    const client = await rig.clientOf(owner);
    const made = await rig.done(owner, 'createRoom', {}, { body: { room, title: 'Tea' } });
    assert.deepEqual(made, { room, title: 'Tea', visibility: 'public', role: 'owner' });
    assertProblem(await rig.ask(`jun-${newId()}`, 'createRoom', {}, { body: { room } }), 409, 'conflict');
    const { seq } = await rig.done(owner, 'updateRoom', { room }, { body: { topic: 'Leaves', room: 'other' } });
    const state = await call(rig.urlOf(0), `/rooms/${room}`, { token: tokenOf(owner) });
    assertHttpAnswer('readRoom', state.status, state.body);
    const { epoch, n, first, head, ...settings } = state.body;
    assert.deepEqual(settings, { room, role: 'owner', visibility: 'public', title: 'Tea', topic: 'Leaves' });
    assert.deepEqual([typeof epoch, n, first, head, seq], ['string', 0, 1, 1, 1]);
    assert.equal((await newest(client, room)).type, 'room.update');
    assert.deepEqual(await rig.done(owner, 'deleteRoom', { room }), {});
    assertProblem(await rig.ask(owner, 'readMessages', { room }), 404, 'not_found');
  });

  test('direct ones are the same over HTTP and sockets', async () => {
    const [mina, jun] = [`mina-${newId()}`, `jun-${newId()}`];
    const client = await rig.clientOf(mina);
    const body = { visibility: 'direct', user: mina };
    const { room } = await rig.done<{ room: string }>(jun, 'createRoom', {}, { body });
    assert.equal((await client.ok('room:create', { visibility: 'direct', user: jun })).room, room);
    assert.deepEqual(await rig.done(mina, 'listMembers', { room }, { query: { limit: '1' } }), {
      members: [{ user: [jun, mina].sort()[0], role: 'member' }],
      cursor: [jun, mina].sort()[0],
    });
  });
});

describe('members', () => {
  test('of a private room are invited, given roles, and leave', async () => {
    const { room, owner, ownerId, memberId } = await rig.privateRoom();
    const guest = `sora-${newId()}`;
    assert.deepEqual(await rig.done(ownerId, 'inviteMember', { room, user: guest }), {});
    await rig.done(ownerId, 'setRole', { room, user: guest }, { body: { role: 'moderator' }, key: null });
    const { members } = await rig.done<{ members: unknown[] }>(guest, 'listMembers', { room });
    assert.equal(members.length, 3);
    assert(members.some((one) => JSON.stringify(one) === JSON.stringify({ user: guest, role: 'moderator' })));
    const left = await rig.done<{ seq: number }>(guest, 'quitRoom', { room });
    assert.deepEqual((await newest(owner, room)).data, { user: guest });
    assert.equal((await newest(owner, room)).seq, left.seq);
    assertProblem(await rig.ask(guest, 'readMessages', { room }), 404, 'not_found');
    assertProblem(await rig.ask(ownerId, 'quitRoom', { room }), 409, 'conflict');
    assertProblem(
      await rig.ask(memberId, 'setRole', { room, user: memberId }, { body: { role: 'owner' } }),
      403,
      'forbidden',
    );
  });

  test('are kicked, banned and muted, and these sanctions are lifted', async () => {
    const { room, owner, ownerId, memberId } = await rig.publicRoom();
    const on = { room, user: memberId };
    const post = (more: Options = {}) => rig.ask(memberId, 'postMessage', { room }, { body: { text: 'x' }, ...more });
    const acts = [
      ['kickMember', undefined, { forMs: 3_600_000 }, 'forbidden'],
      ['unbanMember', 'room.unban', undefined, 'ok'],
      ['banMember', 'room.ban', { reason: 'noise' }, 'forbidden'],
      ['unbanMember', 'room.unban', { reason: 'over' }, 'ok'],
      ['muteMember', 'room.mute', { forMs: 60_000 }, 'forbidden'],
      ['unmuteMember', 'room.unmute', undefined, 'ok'],
    ] as const;
    for (const [name, type, body, then] of acts) {
      const { seq } = await rig.done<{ seq: number }>(ownerId, name, on, { body });
      const entry = await newest(owner, room);
      assert.deepEqual([entry.seq, (entry.data as { user: string }).user], [seq, memberId]);
      if (type !== undefined) assert.equal(entry.type, type);
      if (name === 'banMember')
        assert.deepEqual(await rig.done(ownerId, 'listBans', { room }), {
          bans: [{ user: memberId, kind: 'ban', by: ownerId, reason: 'noise' }],
        });
      const answer = await post();
      if (then === 'ok') assert.equal(answer.status, 201, name);
      else assertProblem(answer, 403, then, name);
    }
  });

  test('can report messages, and moderators can read and close reports', async () => {
    const { room, ownerId, memberId } = await rig.publicRoom();
    const { seq } = await rig.done<{ seq: number }>(ownerId, 'postMessage', { room }, { body: { text: 'spam' } });
    assert.deepEqual(await rig.done(memberId, 'reportMessage', { room, seq }, { body: { reason: 'spam' } }), {});
    const { reports } = await rig.done<{ reports: Array<{ id: string; by: string }> }>(ownerId, 'listReports', {
      room,
    });
    assert.deepEqual(
      reports.map(({ by }) => by),
      [memberId],
    );
    const id = reports[0]?.id as string;
    assert.deepEqual(await rig.done(ownerId, 'closeReport', { room, id }), {});
    assert.deepEqual(await rig.done(ownerId, 'listReports', { room }), { reports: [] });
  });
});

describe('messages', () => {
  test('are stored once for each key, on any gateway', async () => {
    const { room, member, memberId } = await rig.publicRoom();
    const key = newId();
    const post = (text: string, gateway: number) =>
      rig.ask(memberId, 'postMessage', { room }, { body: { text, clientMsgId: 'ignored' }, key, gateway });
    const [first, again, other] = [await post('hello', 0), await post('hello', 1), await post('bye', 0)];
    assert.deepEqual([first.status, again.status], [201, 200]);
    assert.deepEqual(again.body, { ...first.body, duplicate: true });
    assertProblem(other, 409, 'conflict');
    assert.equal((await newest(member, room)).clientMsgId, key);
  });

  test('are read in pages of entries', async () => {
    const { room, owner, ownerId } = await rig.publicRoom();
    for (const text of ['a', 'b', 'c']) await owner.ok('message:send', message(room, text));
    const read = (query: Record<string, string>) =>
      rig.done<{ messages: Entry[] }>(ownerId, 'readMessages', { room }, { query });
    const texts = async (query: Record<string, string>) => (await read(query)).messages.map(({ text }) => text);
    assert.deepEqual(await texts({}), ['a', 'b', 'c']);
    assert.deepEqual(await texts({ before: '3', limit: '1' }), ['b']);
    assert.deepEqual(await texts({ after: '1' }), ['b', 'c']);
    assert.deepEqual(await read({ limit: '2' }), await owner.ok('history:read', { room, limit: 2 }));
    const bad = ['before=1&after=1', 'limit=0', 'limit=201', 'limit=x', 'before=-1', 'before=', 'before=1&before=2'];
    for (const query of [...bad, 'view=x', 'view=', 'view=__proto__', 'view=a&view=b', 'epoch='])
      assertProblem(
        await call(rig.urlOf(0), `/rooms/${room}/messages?${query}`, { token: tokenOf(ownerId) }),
        400,
        'invalid',
        query,
      );
    assertProblem(await rig.ask(ownerId, 'readMessages', { room }, { query: { epoch: 'other' } }), 409, 'conflict');
  });
});

describe('conversations', () => {
  test('messages with a thread and mentions are edited, reacted to, pinned and deleted', async () => {
    const { room, owner, ownerId, memberId } = await rig.publicRoom();
    const root = await rig.done<{ seq: number }>(ownerId, 'postMessage', { room }, { body: { text: 'root' } });
    const on = { room, seq: root.seq };
    const body = { text: 'reply', thread: root.seq, mentions: [ownerId] };
    const reply = await rig.done<{ seq: number }>(memberId, 'postMessage', { room }, { body });
    const { seq, mentions, thread } = await newest(owner, room);
    assert.deepEqual([seq, mentions, thread], [reply.seq, [ownerId], root.seq]);
    await rig.done(ownerId, 'editMessage', on, { body: { text: 'root, edited' } });
    for (const user of [ownerId, memberId]) await rig.done(user, 'addReaction', { ...on, emoji: '☕' });
    await rig.done(memberId, 'removeReaction', { ...on, emoji: '☕' });
    const again = await rig.done<{ duplicate: boolean }>(ownerId, 'addReaction', { ...on, emoji: '☕' });
    assert.equal(again.duplicate, true);
    await rig.done(ownerId, 'pinMessage', on);

    const view = (query: Record<string, string>, user = ownerId) =>
      rig.done<{ messages: Entry[] }>(user, 'readMessages', { room }, { query: { view: 'messages', ...query } });
    const [shown] = (await view({ around: String(root.seq), limit: '1' })).messages;
    assert.equal(shown?.text, 'root, edited');
    assert.deepEqual(shown.reactions, [{ emoji: '☕', count: 1, mine: true, users: [ownerId] }]);
    assert.deepEqual([shown.pinned, shown.replies?.n], [true, 1]);
    assert.equal((await view({}, memberId)).messages[0]?.reactions?.[0]?.mine, false);
    for (const query of [{ thread: String(root.seq) }, { pinned: 'true' }, { after: '1', limit: '5' }])
      assert.deepEqual(await view(query), await owner.ok('messages:read', { room, ...asNumbers(query) }));

    await rig.done(ownerId, 'unpinMessage', on);
    await rig.done(ownerId, 'deleteMessage', { room, seq: reply.seq }, { query: { reason: 'off topic' } });
    assert.deepEqual((await newest(owner, room)).data, { seq: reply.seq, reason: 'off topic' });
    assert.deepEqual(
      (await view({ thread: String(root.seq) })).messages.map(({ text }) => text),
      [''],
    );
  });

  test('a user lists rooms, follows rooms, and moves read positions', async () => {
    const { room, owner, ownerId, member, memberId } = await rig.privateRoom();
    await owner.ok('message:send', message(room, 'hello'));
    const { head } = await member.ok('room:join', { room });
    const { rooms } = await rig.done<{ rooms: Array<{ room: string; unread: number }> }>(memberId, 'listMyRooms', {});
    assert.deepEqual(
      rooms.map((one) => [one.room, one.unread]),
      [[room, 1]],
    );
    const read = await rig.done(memberId, 'setReadPosition', { room }, { body: { seq: head } });
    assert.deepEqual(read, { seq: head, n: 1, unread: 0, mentions: 0 });
    assert.deepEqual(await rig.done(ownerId, 'listReaders', { room }), { readers: [{ user: memberId, seq: head }] });

    const tea = newRoom('tea');
    await owner.ok('room:create', { room: tea });
    const mine = async () => (await member.ok('rooms:mine', {})).rooms.map((one) => [one.room, one.notify]);
    assert.deepEqual(await rig.done(memberId, 'followRoom', { room: tea }, { body: { notify: 'none' } }), {});
    assert.deepEqual(
      (await mine()).sort(),
      [
        [room, 'all'],
        [tea, 'none'],
      ].sort(),
    );
    assert.deepEqual(await rig.done(memberId, 'unfollowRoom', { room: tea }), {});
    assert.deepEqual(await mine(), [[room, 'all']]);
  });
});

describe('presence', () => {
  test('has the status that a call sets, also on another gateway than the connection', async () => {
    const { room, owner, memberId } = await rig.publicRoom();
    await owner.ok('presence:watch', { room });
    // The member's connection is on the gateway 1.
    for (const [gateway, status] of [
      [0, 'away'],
      [1, 'dnd'],
    ] as const) {
      assert.deepEqual(await rig.done(memberId, 'setStatus', {}, { body: { status, text: 'a bot' }, gateway }), {});
      await poll(`the status ${status}`, async () => {
        const { users } = await owner.ok('presence:watch', { room });
        const member = users?.find(({ id }) => id === memberId);
        return member?.status === status && member.text === 'a bot';
      });
    }
  });

  test('shows that a bot types', async () => {
    const { room, owner, member, memberId } = await rig.publicRoom();
    assert.deepEqual(await rig.done(memberId, 'showTyping', { room }, { body: { active: true, thread: 7 } }), {});
    const user = { id: memberId, name: memberId };
    for (const client of [owner, member]) {
      await poll('the event', () => client.payloads('typing').length > 0);
      assert.deepEqual(client.payloads('typing'), [{ room, user, active: true, thread: 7 }]);
    }
  });
});

test('every call succeeded above, except search, which needs the archive', () => {
  assert.deepEqual([...rig.succeeded, 'search'].sort(), Object.keys(EVENT_CALLS).sort());
});

const asNumbers = (query: Record<string, string>) =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, value === 'true' ? true : Number(value)]));
