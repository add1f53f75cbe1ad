/** Forged room ids, fields and ids, and rooms that a client may not see. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Entry, TypingSignal } from '@maru/protocol';
import { readStore } from '../integration/store-search.ts';
import { connect, type TestClient } from '../support/client.ts';
import { tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { rawRequest } from '../support/raw.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { type ExampleValues, exampleCalls, exampleEvents } from './examples.ts';
import { type Site, startSite, urlOf, WAYS, type Way } from './site.ts';

const OWNER = 'owner';
const STRANGER = 'stranger';
const BAD_ROOMS = [
  '*',
  '?',
  'a?',
  '[a-z]',
  'a#b',
  '{a}',
  'a}:log',
  '{}',
  'a\r\nSET x 1\r\n',
  'a\nb',
  'a\u0000b',
  'a b',
  'A',
  'ａ',
  'e\u0301',
  'é',
  '\u200ba',
  'ﬁ',
  'maru:rooms',
  '../a',
  'signals:a',
  'p\u0430yroll',
];

let site: Site;
const open: TestClient[] = [];

before(async () => {
  site = await startSite({ environment: WIDE_LIMITS });
  for (const user of [OWNER, STRANGER]) for (const way of WAYS) clients[way][user] = await enter(way, user);
});
after(async () => {
  for (const client of open) client.close();
  await site?.stop();
});

const clients: Record<Way, Record<string, TestClient>> = { 'through nginx': {}, 'around nginx': {} };

async function enter(way: Way, user: string, options: { resume?: unknown } = {}): Promise<TestClient> {
  const client = await connect(urlOf(site, way), { token: tokenOf(user), ...options });
  open.push(client);
  return client;
}
const clientOf = (way: Way, user: string): TestClient => clients[way][user] ?? assert.fail(`no ${user}`);

/** Requests of every event with a room, for this room. */
const requestsAbout = (room: string): Array<[event: string, payload: object]> => {
  const values: ExampleValues = { room, user: 'someone', token: tokenOf(STRANGER) };
  return Object.entries(exampleEvents(values)).filter(([, payload]) => 'room' in payload);
};

for (const way of WAYS)
  describe(`a room id, ${way},`, () => {
    test('with characters that have a meaning for Redis or HTTP is invalid and changes nothing', async () => {
      const client = clientOf(way, STRANGER);
      const channels = async () => [
        ((await site.admin.call('PUBSUB', 'SHARDCHANNELS')) as string[]).sort(),
        await site.admin.pubsub('CHANNELS'),
        await site.admin.pubsub('NUMPAT'),
      ];
      const before = [[...(await readStore(site.admin)).keys()].filter(isOfRooms).sort(), await channels()];
      for (const room of BAD_ROOMS)
        for (const [event, payload] of requestsAbout(room)) {
          const ack = await client.raw(event, payload);
          assert.equal(ack.ok ? 'ok' : ack.error.code, 'invalid', `${event} ${JSON.stringify(room)}`);
        }
      for (const room of BAD_ROOMS)
        for (const { method, path, headers, body } of exampleCalls({
          room: encodeURIComponent(room),
          user: 'u',
          token: tokenOf(STRANGER),
        })) {
          if (!path.includes(encodeURIComponent(room))) continue;
          const text = JSON.stringify(body);
          const options = { method, path, headers, ...(text === undefined ? {} : { body: text }) };
          const { status } = await rawRequest(urlOf(site, way), options);
          assert([400, 403, 404].includes(status), `${method} ${path}: ${status}`);
        }
      const resume = Object.fromEntries(BAD_ROOMS.map((room) => [room, { epoch: '1.a', seq: 0 }]));
      const resumed = await enter(way, STRANGER, { resume });
      for (const room of BAD_ROOMS) {
        const answer = resumed.session.rooms[room];
        assert(
          answer !== undefined && 'error' in answer && answer.error.code === 'invalid',
          JSON.stringify({ room, answer }),
        );
      }
      assert.deepEqual([[...(await readStore(site.admin)).keys()].filter(isOfRooms).sort(), await channels()], before);
      await site.assertUnharmed();
    });

    test("that equals another socket's id reaches that socket by no event", async () => {
      const victim = clientOf(way, OWNER);
      const room = victim.session.sessionId;
      const before = victim.received.length;
      for (const [event, payload] of requestsAbout(room)) await clientOf(way, STRANGER).raw(event, payload);
      await victim.ok('history:read', { room: newRoom() }).catch(() => {});
      assert.deepEqual(
        victim.received.slice(before).filter(({ name }) => !name.startsWith('ack ')),
        [],
      );
    });
  });

/** Keys of rooms, without those of quotas and presence, which change by themselves. */
const isOfRooms = (key: string): boolean => !/^maru:(quota|probe|\{nodes\}|made|presence|p:)/.test(key);

for (const visibility of ['private', 'direct'] as const)
  describe(`a ${visibility} room`, () => {
    let hidden: string;
    let absent: string;
    before(async () => {
      const owner = clientOf('around nginx', OWNER);
      const more = visibility === 'private' ? { title: 'hidden plans' } : { user: 'friend' };
      ({ room: hidden } = await owner.ok('room:create', { visibility, ...more }));
      await owner.ok('room:join', { room: hidden });
      await owner.ok('message:send', { room: hidden, clientMsgId: newId(), text: 'hidden text' });
      // A valid absent id: the server generates both kinds of characters in each place.
      absent = `${hidden.slice(0, -6)}aaaaaa`;
    });

    for (const way of WAYS) {
      test(`answers every event of a stranger like an absent room, byte by byte, ${way}`, async () => {
        const client = clientOf(way, STRANGER);
        for (const [event, payload] of requestsAbout(hidden)) {
          const answer = await client.raw(event, payload);
          const control = await client.raw(event, { ...payload, room: absent });
          assert.equal(JSON.stringify(answer), JSON.stringify(control), event);
          const expected = event === 'room:create' ? 'invalid' : 'not_found';
          assert.equal(answer.ok ? 'ok' : answer.error.code, expected, event);
        }
        for (const since of [0, 1]) {
          const resume = { [hidden]: { epoch: '1.a', seq: since }, [absent]: { epoch: '1.a', seq: since } };
          const { rooms } = (await enter(way, STRANGER, { resume })).session;
          assert.equal(JSON.stringify(rooms[hidden]), JSON.stringify(rooms[absent]));
          assert.match(JSON.stringify(rooms[hidden]), /"code":"not_found"/);
        }
      });

      test(`answers every HTTP call of a stranger like an absent room, byte by byte, ${way}`, async () => {
        const ask = async (room: string) => {
          const answers = [];
          for (const { method, path, headers, body } of exampleCalls({ room, user: 'u', token: tokenOf(STRANGER) })) {
            if (!path.includes(room)) continue;
            const text = JSON.stringify(body);
            const options = { method, path, headers, ...(text === undefined ? {} : { body: text }) };
            const answer = await rawRequest(urlOf(site, way), options);
            delete answer.headers.date;
            assert.equal(answer.status, path.includes('/admin/') ? 403 : 404, `${method} ${path}: ${answer.body}`);
            answers.push({ method, call: path.replace(room, 'room'), ...answer });
          }
          return answers;
        };
        const answers = await ask(hidden);
        assert(answers.length >= 3);
        assert.deepEqual(answers, await ask(absent));
      });
    }

    test('is in no list of the stranger, and a direct room with its members is a separate room', async () => {
      const stranger = clientOf('through nginx', STRANGER);
      assert.doesNotMatch(JSON.stringify(await stranger.ok('rooms:mine', {})), new RegExp(hidden));
      const { room } = await stranger.ok('room:create', { visibility: 'direct', user: OWNER });
      assert.notEqual(room, hidden);
    });

    test('sent nothing to the stranger, and is unchanged', async () => {
      for (const way of WAYS)
        assert.doesNotMatch(JSON.stringify(clientOf(way, STRANGER).received), /hidden (text|plans)/);
      const owner = clientOf('around nginx', OWNER);
      const { messages } = await owner.ok('history:read', { room: hidden });
      assert.deepEqual(
        messages.map(({ text }) => text),
        ['hidden text'],
      );
      const { members } = await owner.ok('room:members', { room: hidden });
      assert.equal(members.length, visibility === 'private' ? 1 : 2);
    });
  });

for (const way of WAYS)
  describe(`identity, ${way},`, () => {
    const forged = {
      from: { id: 'root', name: 'Root' },
      user: { id: 'root', name: 'Root' },
      sub: 'root',
      seq: 99,
      ts: 1,
      n: 7,
      epoch: 'forged',
      type: 'room.role',
      data: { user: STRANGER, role: 'owner' },
    };

    test('comes from the token, whatever a request claims', async () => {
      const [owner, stranger] = [clientOf(way, OWNER), clientOf(way, STRANGER)];
      const room = newRoom();
      await owner.ok('room:join', { room });
      const startedAt = Date.now() - 60_000;
      await stranger.ok('room:join', { room });
      await stranger.raw('message:send', { room, clientMsgId: newId(), text: 'by event', ...forged });
      await call(urlOf(site, way), `/rooms/${room}/messages`, {
        method: 'POST',
        token: tokenOf(STRANGER),
        headers: { 'idempotency-key': newId() },
        body: { text: 'by HTTP', room: 'other', ...forged },
      });
      const entries = await owner.until(room, 2);
      for (const [index, entry] of entries.entries()) assertOwn(entry, index + 1, startedAt);
      await stranger.raw('typing', { room, active: true, ...forged });
      const { user } = await owner.event<TypingSignal>('typing', (signal) => signal.room === room);
      assert.equal(user.id, STRANGER);
    });

    test("limits a clientMsgId to its user: another user's is neither repeated nor overwritten", async () => {
      const [owner, stranger] = [clientOf(way, OWNER), clientOf(way, STRANGER)];
      const room = newRoom();
      await owner.ok('room:create', { room });
      const clientMsgId = newId();
      const first = await owner.ok('message:send', { room, clientMsgId, text: 'mine' });
      const other = await stranger.ok('message:send', { room, clientMsgId, text: 'theirs' });
      assert.deepEqual([first.seq, other.seq, other.duplicate], [1, 2, false]);
      // Ids that would equal the owner's if user and id were simply concatenated.
      for (const sneaky of [`${OWNER}\n${clientMsgId}`, `${clientMsgId}\u0000`])
        await stranger.refused('invalid', 'message:send', { room, clientMsgId: sneaky, text: 'theirs' });
      const again = await owner.ok('message:send', { room, clientMsgId, text: 'mine' });
      assert.deepEqual([again.seq, again.duplicate], [1, true]);
    });
  });

function assertOwn(entry: Entry, seq: number, notBefore: number): void {
  assert.deepEqual([entry.from.id, entry.seq, entry.type, entry.data], [STRANGER, seq, 'text', undefined]);
  assert(entry.ts > notBefore && entry.epoch !== 'forged');
}

test('forged presence differences reach no client, and are counted', async () => {
  const client = clientOf('around nginx', OWNER);
  const room = newRoom();
  await client.ok('room:join', { room });
  await client.ok('presence:watch', { room });
  const diff = { room, prev: 0, version: 1, count: 1, whole: false, joins: [], leaves: [], updates: [] };
  const forged = [
    '',
    'x',
    '[]',
    '{}',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    { ...diff, room: 'another' },
    { ...diff, count: -1 },
    { ...diff, joins: [{ id: 7, name: {} }] },
    { ...diff, joins: 'x' },
    { ...diff, version: '1' },
    { ...diff, updates: [null] },
  ].map((payload) => (typeof payload === 'string' ? payload : JSON.stringify(payload)));
  const counted = () => site.gateway.metric('maru_gateway_presence_bad_payloads_total');
  const before = await counted();
  const isForeign = ({ name, payload }: { name: string; payload: unknown }) =>
    name === 'presence' && (payload as { count: number }).count !== 1;
  for (const payload of forged)
    assert.equal(await site.admin.spublish(`maru:presence:{${room}}:diffs`, payload), 1, 'the gateway must listen');
  await poll('all to be counted', async () => (await counted()) - before === forged.length);
  assert.deepEqual(client.received.filter(isForeign), []);
  await site.assertUnharmed();
});
