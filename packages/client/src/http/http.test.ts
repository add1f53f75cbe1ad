import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  enterAsGuest,
  exportOwnData,
  type HttpTarget,
  listRooms,
  readAuthConfig,
  readPresence,
  readRoom,
} from './index.ts';

const URL_OF = 'https://chat.example';

/** Answers each call with the next answer, and records the calls. */
function server(...answers: Array<Response | Error>) {
  const asked: Array<{ url: string; init: RequestInit }> = [];
  const target: HttpTarget = {
    url: URL_OF,
    token: 'secret',
    fetch: async (url, init = {}) => {
      asked.push({ url: String(url), init });
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('asked once more');
      return answer;
    },
  };
  return { target, asked };
}
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });

it('enters as a guest', async () => {
  const { target, asked } = server(json({ token: 't', user: { id: 'guest-1', name: 'Mina' }, more: 1 }, 201));
  const result = await enterAsGuest(target, 'Mina');
  assert.deepEqual(result, { ok: true, data: { token: 't', user: { id: 'guest-1', name: 'Mina' } } });
  assert.equal(asked[0]?.url, `${URL_OF}/api/v1/guests`);
  assert.equal(asked[0]?.init.body, '{"name":"Mina"}');
});

it('lists rooms page by page, and skips malformed items', async () => {
  const { target, asked } = server(
    json({ rooms: [{ room: 'tea', title: 'Tea', topic: 'Green', online: 3 }, {}, { room: 'x' }], cursor: 'x' }),
    json({ rooms: [] }),
  );
  assert.deepEqual(await listRooms(target, { limit: 2 }), {
    ok: true,
    data: {
      rooms: [
        { room: 'tea', title: 'Tea', topic: 'Green', online: 3 },
        { room: 'x', title: '', topic: '', online: 0 },
      ],
      cursor: 'x',
    },
  });
  assert.deepEqual(await listRooms(target, { cursor: 'x' }), { ok: true, data: { rooms: [] } });
  assert.deepEqual(
    asked.map(({ url }) => url),
    [`${URL_OF}/api/v1/rooms?limit=2`, `${URL_OF}/api/v1/rooms?cursor=x`],
  );
  assert.equal(new Headers(asked[0]?.init.headers).get('Authorization'), 'Bearer secret');
});

it('reads the presence of several users in one call', async () => {
  const users = [{ id: 'jun', status: 'offline', lastSeenTs: 5 }];
  const { target, asked } = server(json({ users }), json({}));
  assert.deepEqual(await readPresence(target, ['jun', 'a&b']), { ok: true, data: users });
  assert.equal(asked[0]?.url, `${URL_OF}/api/v1/presence?user=jun&user=a%26b`);
  assert.equal((await readPresence(target, ['jun'])).ok, false);
});

it('reads the state of a room and the ways to sign in', async () => {
  const state = { room: 'tea', role: 'member', epoch: 'e', head: 1, n: 1, first: 1, visibility: 'public', title: '' };
  const { target } = server(json(state), json({ guests: true, ldap: false, oidc: { issuer: 'i', clientId: 'c' } }));
  assert.deepEqual(await readRoom(target, 'tea'), { ok: true, data: state });
  const { data } = (await readAuthConfig(target)) as { data: unknown };
  const oidc = { issuer: 'i', clientId: 'c', name: 'i', scope: 'openid profile', token: 'access' };
  assert.deepEqual(data, { guests: true, ldap: false, oidc });
});

it('returns errors of the catalogue', async () => {
  const cases: Array<[Response | Error, object]> = [
    [json({ code: 'forbidden', detail: 'no' }, 403), { code: 'forbidden', message: 'no', retryable: false }],
    [
      json({ code: 'rate_limited', detail: 'slow', retryAfterMs: 5 }, 429),
      { code: 'rate_limited', message: 'slow', retryable: true, retryAfterMs: 5 },
    ],
    [
      new Response('<html>', { status: 503, headers: { 'Retry-After': '2' } }),
      { code: 'unavailable', message: 'HTTP status 503', retryable: true, retryAfterMs: 2_000 },
    ],
    [json({ code: 'of tomorrow' }, 418), { code: 'invalid', message: 'HTTP status 418', retryable: false }],
    [json([], 200), { code: 'internal', message: 'the answer has another form', retryable: true }],
    [
      new TypeError('failed to fetch'),
      { code: 'unavailable', message: 'no answer', retryable: true, isUnreachable: true },
    ],
  ];
  for (const [answer, error] of cases) {
    assert.deepEqual(await readRoom(server(answer).target, 'tea'), { ok: false, error });
  }
});

it('gives up if there is no answer in time', async () => {
  const never: typeof fetch = (_url, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const result = await readRoom({ url: URL_OF, timeoutMs: 5, fetch: never }, 'tea');
  assert.equal(!result.ok && result.error.isUnreachable, true);
});

it('continues an export that was cut off, until its last line', async () => {
  const line = (seq: number) => `{"seq":${seq},"cursor":"c${seq}"}\n`;
  const { target, asked } = server(
    new Response(`${line(1)}${line(2)}{"seq":3,"cur`),
    new Response(`${line(3)}{"end":true,"entries":3}\n`),
  );
  const result = await exportOwnData(target);
  assert.ok(result.ok);
  assert.equal(await result.data.text(), `${line(1)}${line(2)}${line(3)}{"end":true,"entries":3}\n`);
  assert.equal(asked[1]?.url, `${URL_OF}/api/v1/me/export?cursor=c2`);
});

it('reports an export that makes no progress', async () => {
  const { target, asked } = server(...[1, 2, 3, 4].map(() => new Response('')));
  assert.equal((await exportOwnData(target)).ok, false);
  assert.equal(asked.length, 3);
});
