/** Direct rooms through two gateways: one room for both users, without moderators, and hidden. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ClientEventName } from '@maru/protocol';
import type { TestClient } from '../support/client.ts';
import { tokenOf } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId } from '../support/tokens.ts';
import { codeOf, type ModerationRig, message, removals, startModerationRig } from './moderation-setup.ts';

let rig: ModerationRig;
before(async () => {
  rig = await startModerationRig();
});
after(() => rig?.stop());

const admin = tokenOf('root', { roles: ['admin'] });
const operate = (room: string, act: 'close' | 'open') =>
  call(rig.urlOf(0), `/admin/rooms/${room}/${act}`, { method: 'POST', token: admin });

const opened = (client: TestClient, user: string) => client.ok('room:create', { visibility: 'direct', user });

/** Two users, each on a different gateway, and their room. */
async function pair() {
  const [minaId, junId] = [`mina-${newId()}`, `jun-${newId()}`];
  const [mina, jun] = await Promise.all([rig.clientOf(minaId), rig.clientOf(junId, 1)]);
  const { room } = await opened(mina, junId);
  return { room, mina, jun, minaId, junId };
}

describe('opening', () => {
  test('gives both users the same room, even if both open it many times concurrently', async () => {
    const [minaId, junId] = [`mina-${newId()}`, `jun-${newId()}`];
    const [mina, jun] = await Promise.all([rig.clientOf(minaId), rig.clientOf(junId, 1)]);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? opened(mina, junId) : opened(jun, minaId))),
    );
    const [first] = answers;
    assert(first !== undefined);
    assert.match(first.room, /^d-[0-9a-f]{32}$/);
    assert.deepEqual(first, { room: first.room, title: '', visibility: 'direct', role: 'member' });
    for (const answer of answers) assert.deepEqual(answer, first);
  });

  test('is refused with oneself, without another user, or with a title or an id', async () => {
    const client = await rig.clientOf('mina');
    const bad = [
      { user: 'mina' },
      {},
      { user: '' },
      { user: 'jun', title: 'Us' },
      { user: 'jun', room: 'us' },
      { user: 'x'.repeat(129) },
    ];
    for (const payload of bad)
      assert.equal(await codeOf(client, 'room:create', { visibility: 'direct', ...payload }), 'invalid');
    assert.equal(await codeOf(client, 'room:create', { room: 'd-mine' }), 'invalid');
    assert.equal(await codeOf(client, 'room:create', { visibility: 'private', user: 'jun' }), 'invalid');
  });
});

test('both members join, write and read, and see each other as members', async () => {
  const { room, mina, jun, minaId, junId } = await pair();
  for (const client of [mina, jun]) {
    const joined = await client.ok('room:join', { room });
    assert.deepEqual([joined.visibility, joined.title, joined.role], ['direct', '', 'member']);
    const { members } = await client.ok('room:members', { room });
    assert.deepEqual(
      members.map(({ user, role }) => [user, role]).sort(),
      [
        [minaId, 'member'],
        [junId, 'member'],
      ].sort(),
    );
  }
  await mina.ok('message:send', message(room, 'hello'));
  await jun.ok('message:send', message(room, 'hi'));
  for (const client of [mina, jun]) {
    await client.until(room, 2);
    assert.deepEqual(
      client.entries(room).map(({ text }) => text),
      ['hello', 'hi'],
    );
  }
});

/** All requests about a room, except messages and those that only members can know about. */
const requestsOf = (room: string, user: string): Array<[ClientEventName, object]> => [
  ['room:update', { room, clientMsgId: newId(), title: 'Ours' }],
  ['room:quit', { room, clientMsgId: newId() }],
  ['room:delete', { room }],
  ['room:invite', { room, user: 'sora' }],
  ['room:role', { room, user, role: 'member' }],
  ['room:role', { room, user, role: 'owner' }],
  ['room:kick', { room, user }],
  ['room:ban', { room, user }],
  ['room:unban', { room, user }],
  ['room:mute', { room, user }],
  ['room:unmute', { room, user }],
  ['room:bans', { room }],
  ['room:reports', { room }],
  ['room:report-close', { room, id: '1:x' }],
  ['message:report', { room, seq: 1, reason: 'spam' }],
];

test('no member can moderate the other one, leave the room or delete it', async () => {
  const { room, mina, jun, minaId, junId } = await pair();
  await mina.ok('message:send', message(room));
  for (const [client, self, other] of [[mina, minaId, junId] as const, [jun, junId, minaId] as const])
    for (const user of [self, other])
      for (const [event, payload] of requestsOf(room, user))
        assert.equal(await codeOf(client, event, payload), 'forbidden', `${event} of ${self} on ${user}`);
  const { members } = await mina.ok('room:members', { room });
  assert.equal(members.length, 2);
  const { head } = await jun.ok('room:join', { room });
  assert.equal(head, 1, 'no act was stored');
});

test('others get the same answers as for an absent room', async () => {
  const { room, minaId, mina } = await pair();
  await mina.ok('message:send', message(room));
  const stranger = await rig.clientOf(`stranger-${newId()}`, 1);
  const all: Array<[ClientEventName, object]> = [
    ...requestsOf(room, minaId),
    ['room:join', { room }],
    ['room:leave', { room }],
    ['room:members', { room }],
    ['message:send', message(room)],
    ['history:read', { room }],
    ['typing', { room, active: true }],
    ['presence:watch', { room }],
    ['presence:unwatch', { room }],
  ];
  for (const [event, payload] of all) {
    const hidden = (await stranger.raw(event, payload)) as { error?: unknown };
    const absent = (await stranger.raw(event, { ...payload, room: `d-${'0'.repeat(32)}` })) as { error?: unknown };
    assert.equal((hidden.error as { code?: string })?.code, 'not_found', event);
    assert.deepEqual(hidden.error, absent.error, event);
  }
  const token = tokenOf(`stranger-${newId()}`);
  for (const path of [`/rooms/${room}/messages`, `/rooms/${room}/presence`])
    assert.equal((await call(rig.urlOf(0), path, { token })).status, 404);
  // A role in the token does not open a direct room either.
  assert.equal((await call(rig.urlOf(0), `/rooms/${room}/messages`, { token: admin })).status, 404);
});

test('an administrator closes, opens and deletes a room, and the members can open it again', async () => {
  const { room, mina, jun, minaId, junId } = await pair();
  for (const client of [mina, jun]) await client.ok('room:join', { room });
  assert.equal((await operate(room, 'close')).status, 200);
  await poll('the removal', () => removals(jun).length === 1);
  assert.equal(await codeOf(jun, 'room:join', { room }), 'forbidden');
  assert.equal((await opened(jun, minaId)).room, room);
  assert.equal((await operate(room, 'open')).status, 200);
  await mina.ok('room:join', { room });
  const deleted = await call(rig.urlOf(0), `/rooms/${room}`, { method: 'DELETE', token: admin });
  assert.equal(deleted.status, 200);
  assert.equal(await codeOf(jun, 'room:join', { room }), 'not_found');
  assert.equal((await opened(jun, minaId)).room, room);
  assert.equal((await opened(mina, junId)).room, room);
  const joined = await mina.ok('room:join', { room });
  assert.deepEqual([joined.head, joined.messages], [0, []]);
  await jun.ok('message:send', message(room, 'again'));
  await mina.until(room, 1);
});
