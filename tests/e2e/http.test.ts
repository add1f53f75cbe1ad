import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HistoryData, PresenceSnapshot, SendData } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { assertProblem, type Call, call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
let endpoint: string;
let token: string;
before(async () => {
  ({ endpoint } = cluster);
  ({ token } = await createGuest(endpoint, 'Bot'));
});
after(() => {
  for (const client of open) client.close();
});

const get = <T>(path: string, options: Call = {}) => call<T>(endpoint, path, { token, ...options });
const post = (room: string, key: string | undefined, body: unknown, options: Call = {}) =>
  call<SendData>(endpoint, `/rooms/${room}/messages`, {
    method: 'POST',
    token,
    body,
    ...options,
    headers: { ...(key === undefined ? {} : { 'idempotency-key': key }), ...options.headers },
  });

async function member(room: string): Promise<TestClient> {
  const client = await connect(endpoint, { token: (await createGuest(endpoint)).token });
  open.push(client);
  await client.ok('room:join', { room });
  return client;
}

test('GET /auth/config lists the ways to sign in without a token', async () => {
  const { status, body } = await call(endpoint, '/auth/config');
  assert.deepEqual([status, body], [200, { guests: true, ldap: false, oidc: null }]);
  const refused = await call(endpoint, '/auth/config', { method: 'POST', body: {} });
  assertProblem(refused, 405, 'invalid');
});

describe('POST /guests', () => {
  test('creates a guest with a token and a unique id', async () => {
    const { status, body, headers } = await call<{ token: string; user: { id: string; name: string } }>(
      endpoint,
      '/guests',
      {
        method: 'POST',
        body: { name: 'Mina', sub: 'root', roles: ['admin'], id: 'guest-1' },
      },
    );
    assert.equal(status, 201);
    assert.match(headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(Object.keys(body).sort(), ['token', 'user']);
    assert.match(body.user.id, /^guest-.{8,}$/);
    assert.notEqual(body.user.id, 'guest-1');
    assert.equal(body.user.name, 'Mina');
    const client = await connect(endpoint, { token: body.token });
    open.push(client);
    assert.equal(client.session.user.id, body.user.id);
    const other = await createGuest(endpoint, 'Mina');
    assert.notEqual(other.user.id, body.user.id);
  });

  const bad: unknown[] = [
    {},
    [],
    null,
    5,
    '"text"',
    { name: null },
    { name: 5 },
    { name: '' },
    { name: '  ' },
    { name: ['Mina'] },
    { name: 'n'.repeat(65) },
    { name: '👋'.repeat(65) },
    { name: 'a\u0000b' },
    { name: 'a\u202eb' },
    { name: '\ud800' },
  ];
  test('refuses a bad name as invalid', async () => {
    for (const body of bad)
      assertProblem(await call(endpoint, '/guests', { method: 'POST', body }), 400, 'invalid', JSON.stringify(body));
    for (const name of ['n'.repeat(64), '👋'.repeat(64), '민아', '<b>'])
      assert((await createGuest(endpoint, name)).token);
  });

  test('refuses a body that is not JSON, is deep, large, compressed or absent', async () => {
    const send = (body: string | undefined, headers: Record<string, string> = {}) =>
      call(endpoint, '/guests', { method: 'POST', headers, ...(body === undefined ? {} : { body }) });
    for (const body of ['{', '{"name":', "{'name':'x'}", 'name=Mina', '\u0000'])
      assertProblem(await send(body), 400, 'invalid', body);
    assertProblem(await send(undefined), [400, 411, 415], 'invalid', 'no body');
    assertProblem(
      await send('name=Mina', { 'content-type': 'application/x-www-form-urlencoded' }),
      [400, 415],
      'invalid',
    );
    for (const depth of [1_000, 10_000])
      assertProblem(
        await send(`{"name":"Mina","x":${'['.repeat(depth)}${']'.repeat(depth)}}`),
        [400],
        'invalid',
        'deep',
      );
    assertProblem(await send(JSON.stringify({ name: 'Mina', x: 'x'.repeat(300_000) })), 413, 'too_large');
    const encoded = await send('{"name":"Mina"}', { 'content-encoding': 'gzip' });
    assert([400, 415].includes(encoded.status), `not gzip: ${encoded.status}`);
  });
});

describe('messages over HTTP', () => {
  test('are stored once for each Idempotency-Key, and reach the members', async () => {
    const room = newRoom();
    const client = await member(room);
    const key = newId();
    const first = await post(room, key, { text: 'from a bot' });
    assert([200, 201].includes(first.status), JSON.stringify(first.body));
    assert.deepEqual(
      { ...first.body, epoch: typeof first.body.epoch, ts: typeof first.body.ts },
      { epoch: 'string', n: 1, seq: 1, ts: 'number', duplicate: false },
    );
    const again = await post(room, key, { text: 'from a bot' });
    assert([200, 201].includes(again.status));
    assert.deepEqual(again.body, { ...first.body, duplicate: true });
    assertProblem(await post(room, key, { text: 'another text' }), 409, 'conflict');
    const [entry] = await client.until(room, 1);
    assert.deepEqual([entry?.text, entry?.from.name, entry?.clientMsgId], ['from a bot', 'Bot', key]);
  });

  test('are not duplicated when the same id is sent over HTTP and over a socket', async () => {
    const room = newRoom();
    const guest = await createGuest(endpoint, 'Both');
    const client = await connect(endpoint, { token: guest.token });
    open.push(client);
    await client.ok('room:create', { room });
    const id = newId();
    const sent = await client.ok('message:send', { room, clientMsgId: id, text: 'same' });
    const posted = await post(room, id, { text: 'same' }, { token: guest.token });
    assert.deepEqual(posted.body, { ...sent, duplicate: true });
  });

  test('are refused and not stored when the key, body or room is invalid', async () => {
    const room = newRoom();
    await member(room);
    for (const key of [undefined, '', 'k'.repeat(65), 'é'])
      assertProblem(await post(room, key, { text: 'x' }), 400, 'invalid', `key ${key}`);
    for (const body of [{}, [], null, { text: '' }, { text: ' ' }, { text: 5 }, { text: null }, { text: ['x'] }])
      assertProblem(await post(room, newId(), body), 400, 'invalid', JSON.stringify(body));
    assertProblem(await post(room, newId(), { text: 'x'.repeat(4_001) }), 413, 'too_large');
    assertProblem(await post(room, newId(), { text: 'x'.repeat(400_000) }), 413, 'too_large');
    for (const id of ['Room', '-x', 'a%20b', '%2a', 'a%7bb%7d', '%ff', 'r'.repeat(65), '%E2%98%83'])
      assertProblem(await post(id, newId(), { text: 'x' }), 400, 'invalid', id);
    const { body } = await get<HistoryData>(`/rooms/${room}/messages`);
    assert.deepEqual(body.messages, []);
  });

  test('are returned in the same pages as by history:read', async () => {
    const room = newRoom();
    const client = await member(room);
    for (let index = 1; index <= 60; index++)
      await client.ok('message:send', { room, clientMsgId: newId(), text: `${index}` });
    for (const query of [
      {},
      { limit: 7 },
      { before: 20 },
      { after: 0, limit: 3 },
      { after: 59 },
      { after: 60 },
      { before: 1 },
    ]) {
      const search = new URLSearchParams(query as unknown as Record<string, string>);
      const answer = await get<HistoryData>(`/rooms/${room}/messages?${search}`);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
      assert.deepEqual(answer.body, await client.ok('history:read', { room, ...query }));
    }
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'limit=-1',
      'limit=1e3',
      'before=x',
      'after=-1',
      'before=1&after=1',
      'limit=1&limit=2',
    ])
      assertProblem(await get(`/rooms/${room}/messages?${query}`), 400, 'invalid', query);
  });

  test('above the quota are refused with 429 and Retry-After', async () => {
    const guest = await createGuest(endpoint, 'Flood');
    const room = newRoom();
    await member(room);
    const answers = await Promise.all(
      Array.from({ length: 160 }, () => post(room, newId(), { text: 'quick' }, { token: guest.token })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    assert(refused.length > 0 && refused.length < 80, `${refused.length} of 160 were refused`);
    for (const answer of refused) {
      assertProblem(answer, 429, 'rate_limited');
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    }
    const { body } = await get<HistoryData>(`/rooms/${room}/messages?after=0&limit=200`);
    assert.equal(body.messages.length, 160 - refused.length);
  });
});

describe('rooms', () => {
  test('are listed with online counts, in pages', async () => {
    const names = Array.from({ length: 5 }, () => newRoom('listed'));
    for (const room of names) await member(room);
    const named = newRoom('titled');
    const client = await member(newRoom());
    await client.ok('room:create', { room: named, title: '이름 있는 방' });

    interface Page {
      rooms: Array<{ room: string; title?: string; online: number }>;
      cursor?: string;
    }
    const all = await poll('all rooms to be listed with their online counts', async () => {
      const found = new Map<string, { title?: string; online: number }>();
      let cursor: string | undefined;
      do {
        const query: string = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const { status, body } = await get<Page>(`/rooms?limit=100${query}`);
        assert.equal(status, 200);
        assert(body.rooms.length <= 100);
        for (const { room, ...rest } of body.rooms) {
          assert(!found.has(room), `${room} is listed twice`);
          found.set(room, rest);
        }
        cursor = body.cursor;
      } while (cursor !== undefined);
      return names.every((room) => found.get(room)?.online === 1) && found.has(named) ? found : undefined;
    });
    assert.equal(all.get(named)?.title, '이름 있는 방');
    assert.equal(all.get(named)?.online, 0);
    const { body } = await get<Page>('/rooms?limit=3');
    assert.equal(body.rooms.length, 3);
    assert(body.cursor !== undefined);
    for (const query of ['limit=0', 'limit=100000', 'limit=x', `cursor=${'x'.repeat(1_000)}`, 'cursor='])
      assertProblem(await get(`/rooms?${query}`), 400, 'invalid', query);
  });

  test('report who is online', async () => {
    const room = newRoom();
    const client = await member(room);
    const { id, name } = client.session.user;
    const { body } = await poll('one user to be online', async () => {
      const answer = await get<PresenceSnapshot>(`/rooms/${room}/presence`);
      assert.equal(answer.status, 200);
      return answer.body.count === 1 ? answer : undefined;
    });
    assert.deepEqual(body, { count: 1, users: [{ id, name, status: 'online' }] });
  });
});

describe('any other request below /api', () => {
  test('is not_found for an unknown path', async () => {
    for (const path of ['', '/', '/nope', '/rooms/x', '/rooms/x/nope', '/guests/1', '/messages', '/__proto__'])
      assertProblem(await get(path), 404, 'not_found', path);
    for (const path of ['/api', '/api/', '/api/v2/rooms', '/api/v1x']) {
      const response = await fetch(endpoint + path);
      assert.equal(response.status, 404, path);
    }
  });

  test('is refused for a wrong method', async () => {
    for (const [method, path] of [
      ['GET', '/guests'],
      ['PUT', '/guests'],
      ['DELETE', '/rooms'],
      ['GET', '/rooms/x/messages/1'],
      ['PUT', '/rooms/x/messages'],
      ['DELETE', '/rooms/x/messages'],
      ['POST', '/rooms/x/presence'],
    ] as const) {
      const answer = await get(path, { method });
      assert([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal(typeof (answer.body as { code?: string }).code, 'string');
    }
  });
});
