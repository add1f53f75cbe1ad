import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, type Guest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
after(() => {
  for (const client of open) client.close();
});

let room: string;
let owner: TestClient;
let stranger: TestClient;
let strangerGuest: Guest;

async function guestClient(gateway: number, guest?: Guest): Promise<TestClient> {
  const { endpoint } = cluster;
  const { token } = guest ?? (await createGuest(endpoint));
  const client = await connect((await cluster.gateways())[gateway]?.address ?? endpoint, { token });
  open.push(client);
  return client;
}

before(async () => {
  owner = await guestClient(0);
  strangerGuest = await createGuest(cluster.endpoint, 'Stranger');
  stranger = await guestClient(1, strangerGuest);
  const made = await owner.ok('room:create', { visibility: 'private', title: 'secret plans' });
  assert.equal(made.visibility, 'private');
  assert.equal(made.role, 'owner');
  assert.equal(made.title, 'secret plans');
  room = made.room;
  await owner.ok('room:join', { room });
  await owner.ok('message:send', { room, clientMsgId: newId(), text: 'between us' });
});

/**
 * Ids that the stranger tries: the private room, and absent ones of the same and of other forms.
 */
const ids = (): string[] => [room, `p-${'a'.repeat(room.length - 2)}`, 'p-x', 'p-'];

describe('a private room', () => {
  test('has an unguessable id that only the server creates', async () => {
    assert.match(room, /^p-[a-z0-9._-]{20,62}$/);
    const { room: other } = await owner.ok('room:create', { visibility: 'private' });
    assert.notEqual(other, room);
    for (const id of ['p-mine', room]) {
      const ack = await stranger.raw('room:create', { room: id });
      assert(!ack.ok, 'a client must not choose the id of a private room');
      assert(['invalid', 'not_found'].includes(ack.error.code), ack.error.code);
    }
    await stranger.refused('invalid', 'room:create', { visibility: 'private', room: 'p-mine' });
  });

  const requests: Array<[event: string, rest: Record<string, unknown>]> = [
    ['room:join', {}],
    ['room:join', { since: { epoch: 'x', seq: 0 } }],
    ['room:leave', {}],
    ['message:send', { clientMsgId: 'id', text: 'let me in' }],
    ['history:read', {}],
    ['history:read', { after: 0, epoch: 'guess' }],
    ['typing', { active: true }],
    ['presence:watch', {}],
    ['presence:unwatch', {}],
    ['room:members', {}],
    ['room:invite', { user: 'guest-me' }],
  ];
  for (const [event, rest] of requests)
    test(`answers ${event} ${JSON.stringify(rest)} of a stranger as if the room did not exist`, async () => {
      const answers = [];
      for (const id of ids()) answers.push(await stranger.raw(event, { room: id, ...rest }));
      for (const ack of answers) {
        assert(!ack.ok, JSON.stringify(ack));
        assert.equal(ack.error.code, 'not_found');
        assert.deepEqual(ack.error, (answers[0] as typeof ack).error);
      }
    });

  test('answers HTTP calls of a stranger as if the room did not exist, and is not listed', async () => {
    const { endpoint } = cluster;
    const headers = { authorization: `Bearer ${strangerGuest.token}`, 'content-type': 'application/json' };
    const call = async (id: string, rest: string, init: RequestInit = {}) => {
      const response = await fetch(`${endpoint}/api/v1/rooms/${id}${rest}`, {
        ...init,
        headers: { ...headers, ...init.headers },
      });
      return { status: response.status, body: await response.json() };
    };
    const post = {
      method: 'POST',
      body: JSON.stringify({ text: 'let me in' }),
      headers: { 'idempotency-key': newId() },
    };
    for (const id of ids()) {
      for (const [rest, init] of [
        ['/messages', {}],
        ['/presence', {}],
        ['/messages', post],
      ] as const) {
        const { status, body } = await call(id, rest, init);
        assert.equal(status, 404, `${id}${rest}: ${JSON.stringify(body)}`);
        assert.equal((body as { code: string }).code, 'not_found');
      }
    }
    const listed = await fetch(`${endpoint}/api/v1/rooms?limit=200`, { headers });
    assert.doesNotMatch(await listed.text(), /p-[a-z0-9]{20}|secret plans/);
  });

  test('sends nothing to a stranger who tried to join', async () => {
    await owner.ok('message:send', { room, clientMsgId: newId(), text: 'still between us' });
    await owner.ok('typing', { room, active: true });
    const history = await owner.ok('history:read', { room });
    assert.deepEqual(
      history.messages.map(({ text }) => text),
      ['between us', 'still between us'],
    );
    assert.equal(
      stranger.received.some(({ name }) => ['message', 'typing', 'presence'].includes(name)),
      false,
    );
  });
});

describe('an invitation', () => {
  test('opens a private room on every gateway, and only to the invited user', async () => {
    const guest = await createGuest(cluster.endpoint, 'Invited');
    const invited = await guestClient(1, guest);
    await invited.refused('not_found', 'room:join', { room });
    assert.deepEqual(await owner.ok('room:invite', { room, user: guest.user.id }), {});
    const { messages, role } = await invited.ok('room:join', { room });
    assert.equal(role, 'member');
    assert(messages.length >= 1);
    await invited.ok('message:send', { room, clientMsgId: newId(), text: 'thank you' });
    await poll('the owner to receive the message', () => owner.entries(room).some(({ text }) => text === 'thank you'));
    const { members } = await invited.ok('room:members', { room });
    assert.deepEqual(
      members.sort((a, b) => a.role.localeCompare(b.role)),
      [
        { user: guest.user.id, role: 'member' },
        { user: owner.session.user.id, role: 'owner' },
      ],
    );
    await stranger.refused('not_found', 'room:join', { room });
    // A second invitation changes nothing.
    await owner.ok('room:invite', { room, user: guest.user.id });
  });

  test('to a public room by a non-member is refused', async () => {
    const id = newRoom();
    await owner.ok('room:create', { room: id });
    const ack = await stranger.request('room:invite', { room: id, user: 'someone' });
    assert(ack.ok === false && ['invalid', 'forbidden', 'conflict'].includes(ack.error.code), JSON.stringify(ack));
  });
});
