/** Administrators revoke users: on every node, permanently, for all tokens issued so far. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ConnectionState, createChatClient } from '@maru/client';
import type { Notice } from '@maru/protocol';
import { startTcpProxy, startTestRedis, type TcpProxy, type TestRedis } from '@maru/service-kit/testing';
import { encode } from '@maru/testkit/codec/packets';
import { connect, Refused, TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { poll, sleep } from '../support/poll.ts';
import { RawSocket } from '../support/raw.ts';
import { createGuest, newRoom } from '../support/tokens.ts';

const GUESTS = { MARU_GUESTS: 'on', MARU_GUEST_SECRET: 'a-secret-of-guests-for-tests-0123456789' };
const CUT_MS = 1_000;
const REVOKED = 'a valid token is required: it was revoked';
const ADMIN = tokenOf('root', { roles: ['admin'] });

let redis: TestRedis;
let site: Gateways;
const open: Array<{ close(): unknown }> = [];
type Transport = 'websocket' | 'polling';
const start = () =>
  startGateways({
    redis,
    gateways: 2,
    environment: { ...WIDE_LIMITS, MARU_LOG_LEVEL: 'info', MARU_AUDIT_PERIOD_MS: '3600000', ...GUESTS },
  });
before(async () => {
  redis = await startTestRedis({ appendOnly: 'always' });
  site = await start();
});
afterEach(async () => {
  for (const closable of open.splice(0)) await closable.close();
});
after(async () => {
  await site?.stop();
  await redis?.stop();
});

const nodes = () => site.gateways as [ServiceProcess, ServiceProcess];
const admin = <T>(path: string, options: { token?: string; body?: unknown; method?: string } = {}) =>
  call<T>(nodes()[1].url, `/admin${path}`, { method: 'POST', token: ADMIN, ...options });
const revoke = async (user: string, body?: unknown) => {
  const answer = await admin<{ revokedAt: number }>(`/users/${encodeURIComponent(user)}/revoke`, { body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.revokedAt;
};
async function member(url: string, token: string, room?: string, transport: Transport = 'websocket') {
  const client = await connect(url, { token, transports: [transport] });
  open.push(client);
  if (room !== undefined) await client.ok('room:join', { room });
  return client;
}
/** A token of the user that is issued after the revocation. */
async function nextToken(user: string, revokedAt: number): Promise<string> {
  await sleep(Math.max(0, (Math.floor(revokedAt / 1_000) + 1) * 1_000 - Date.now()));
  return tokenOf(user);
}
async function assertDead(token: string): Promise<void> {
  for (const { url } of nodes()) {
    for (const transport of ['websocket', 'polling'] as const)
      await assert.rejects(connect(url, { token, transports: [transport] }), (error: Refused) => {
        assert(error instanceof Refused, String(error));
        assert.deepEqual([error.code, error.message], ['unauthenticated', REVOKED]);
        return true;
      });
    assertProblem(await call(url, '/rooms', { token }), 401, 'unauthenticated');
  }
}

describe('a revoked user', () => {
  test('is disconnected on every node within a second, stays out, and returns with a later token', async () => {
    const token = tokenOf('mallory');
    const clients = [
      await member(nodes()[0].url, token),
      await member(nodes()[1].url, token),
      await member(nodes()[1].url, token, undefined, 'polling'),
    ];
    const witness = await member(nodes()[0].url, tokenOf('witness'));
    const states: ConnectionState[] = [];
    const library = createChatClient({ url: nodes()[0].url, getToken: () => token });
    open.push(library);
    library.on('connection', (state) => states.push({ ...state }));
    library.connect();
    await poll('the library to be connected', () => library.connection.state === 'connected');
    assert.equal((await call(nodes()[0].url, '/rooms', { token })).status, 200);
    const startedAtMs = performance.now();
    const revokedAt = await revoke('mallory', { reason: 'spam' });
    await poll('all to be cut', () => clients.every((client) => client.disconnects.length > 0));
    assert.ok(performance.now() - startedAtMs < CUT_MS, `${performance.now() - startedAtMs} ms`);
    for (const client of clients) {
      assert.deepEqual(client.payloads<Notice>('notice'), [{ code: 'revoked' }]);
      assert.deepEqual(client.disconnects, ['io server disconnect']);
    }
    await poll('the library to end', () => states.at(-1)?.state === 'ended');
    assert.deepEqual(states.at(-1), { state: 'ended', reason: 'revoked' });
    await assertDead(token);
    await assertDead(tokenOf('mallory', { iat: undefined }));
    const renewing = await member(nodes()[0].url, await nextToken('mallory', revokedAt));
    await renewing.refused('unauthenticated', 'auth:renew', { token });
    assert.equal(renewing.connected, true);
    assert.equal(witness.connected, true);
    assert.ok((await nodes()[0].metric('maru_revocations')) >= 1);
    assert.ok((await nodes()[0].metric('maru_orders_age_seconds')) < 2);
  });

  test('stays out after a restart of Redis and all gateways', async () => {
    const token = tokenOf('mallory-2');
    await revoke('mallory-2');
    await site.stop();
    await redis.kill();
    await redis.restart();
    site = await start();
    await assertDead(token);
  });
});

test('a disconnected user is disconnected on every node, and reconnects', async () => {
  const token = tokenOf('restless');
  const clients = nodes().map(({ url }) => new TestClient(url, { token, reconnection: true }));
  open.push(...clients);
  for (const client of clients) client.socket.connect();
  await poll('both to be connected', () => clients.every(({ connected }) => connected));
  const startedAtMs = performance.now();
  const answer = await admin('/users/restless/disconnect');
  assert.deepEqual([answer.status, answer.body], [200, {}]);
  await poll('both to be cut', () => clients.every(({ disconnects }) => disconnects.length > 0));
  assert.ok(performance.now() - startedAtMs < CUT_MS);
  await poll('both to be back', () => clients.every(({ connected, connects }) => connected && connects === 2));
  for (const client of clients) assert.deepEqual(client.disconnects, ['transport close']);
});

test('only administrators may do it, with a readable reason', async () => {
  const plain = tokenOf('plain', { roles: ['moderator'] });
  const { url } = nodes()[0];
  for (const [method, path] of [
    ['POST', '/users/plain/revoke'],
    ['POST', '/users/plain/disconnect'],
    ['GET', '/audit'],
  ] as const) {
    assertProblem(await call(url, `/admin${path}`, { method, token: plain }), 403, 'forbidden', path);
    assertProblem(await call(url, `/admin${path}`, { method }), 401, 'unauthenticated', path);
    const wrong = await call(url, `/admin${path}`, { method: method === 'GET' ? 'POST' : 'GET', token: ADMIN });
    assert.equal(wrong.status, 405);
  }
  for (const body of [{ reason: '' }, { reason: '\u202e' }, { reason: 'x'.repeat(513) }, { reason: 7 }])
    assertProblem(await admin('/users/plain/revoke', { body }), 400, 'invalid');
  assertProblem(await admin(`/users/${'x'.repeat(129)}/revoke`), 400, 'invalid');
  assert.equal((await call(url, '/rooms', { token: plain })).status, 200);
});

test('a node that was stopped serves nothing to a revoked user when it continues', async () => {
  const room = newRoom();
  const [stopped, other] = nodes();
  const [mallory, mina] = ['mallory-3', 'mina'].map((user) => tokenOf(user)) as [string, string];
  const raw = await RawSocket.connect(stopped.url, mallory);
  open.push(raw);
  raw.send(encode.event('room:join', { room }, 1));
  raw.send(encode.event('presence:watch', { room }, 2));
  await raw.frame((frame) => frame.startsWith('432['));
  const witness = await member(stopped.url, mina, room);
  const sender = await member(other.url, tokenOf('jun'), room);
  const quiet = newRoom();
  await witness.ok('room:join', { room: quiet });
  await sender.ok('message:send', { room, clientMsgId: 'before', text: 'before' });
  await raw.frame((frame) => frame.includes('"before"'));
  await sleep(1_000);
  const had = raw.frames.length;

  stopped.child.kill('SIGSTOP');
  try {
    raw.send(encode.event('message:send', { room, clientMsgId: 'stolen', text: 'stolen' }, 3));
    raw.send(encode.event('history:read', { room }, 4));
    const asked = witness.ok('message:send', { room, clientMsgId: 'asked', text: 'asked' });
    for (let n = 0; n < 20; n++) {
      await sender.ok('message:send', { room, clientMsgId: `m-${n}`, text: `secret ${n}` });
      void sender.raw('typing', { room, active: n % 2 === 0 });
    }
    await member(other.url, tokenOf('newcomer'), room);
    await sender.ok('message:send', { room: quiet, clientMsgId: 'last', text: 'the last one' });
    await revoke('mallory-3');
    await sleep(4_000);
    stopped.child.kill('SIGCONT');
    const { seq } = await asked;
    await poll('the last entry of a room', () => witness.seqs(quiet).length === 1);
    await poll('the witness to have everything', () => witness.seqs(room).length === seq && seq === 22);
    assert.deepEqual(
      witness.seqs(room),
      Array.from({ length: 22 }, (_, index) => index + 1),
    );
  } finally {
    stopped.child.kill('SIGCONT');
  }
  await poll('the end', () => raw.closed);
  assert.deepEqual(raw.frames.slice(had), ['42["notice",{"code":"revoked"}]', '41']);
  const { messages } = await sender.ok('history:read', { room });
  assert.ok(!JSON.stringify(messages).includes('stolen'));
});

test('a node that has never read the revocations accepts no connection, and refuses none permanently', async () => {
  const tokens = ['mallory-4', 'mina'].map((user) => tokenOf(user));
  await revoke('mallory-4');
  let proxy: TcpProxy | undefined;
  const late = await startGateways({
    redis,
    environment: { MARU_UNREADY_AFTER_MS: '60000' },
    redisUrl: async () => {
      proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port });
      proxy.mode = 'blackhole';
      return `redis://127.0.0.1:${proxy.port}`;
    },
  });
  open.push({ close: () => late.stop() }, { close: () => proxy?.close() });
  const { url } = late.gateways[0] ?? assert.fail('no gateway');
  const clients = tokens.map((token) => new TestClient(url, { token, reconnection: true }));
  const errors: unknown[] = [];
  for (const client of clients) {
    open.push(client);
    client.socket.on('connect_error', (error) => errors.push((error as { data?: unknown }).data));
    client.socket.connect();
  }
  await poll('both to be refused for now', () => errors.length >= 2);
  assert.ok(errors.every((data) => data === undefined));
  assertProblem(await call(url, '/rooms', { token: tokenOf('mina') }), 503, 'unavailable');
  assert.ok(clients.every(({ socket, received }) => socket.active && received.length === 0));
  if (proxy !== undefined) proxy.mode = 'pass';
  proxy?.reset();
  const [mallory, mina] = clients as [TestClient, TestClient];
  await mina.event('session');
  await poll('the other to be refused for good', () => !mallory.socket.active);
  assert.deepEqual(mallory.received, []);
});

describe('the audit', () => {
  interface Page {
    events: Array<{ id: string; ts: number; action: string; by: string; user?: string; reason?: string }>;
    cursor?: string;
  }
  const audit = async (query: string) => {
    const { status, body } = await admin<Page>(`/audit?${query}`, { method: 'GET' });
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };

  test('contains each act, newest first, in pages, by filter, and in the log', async () => {
    for (const user of ['one', 'two', 'three']) await revoke(`audited-${user}`, { reason: `because of ${user}` });
    await admin('/users/audited-one/disconnect');
    await poll('the events', async () => (await audit('user=audited-one')).events.length === 2);
    const { events } = await audit('user=audited-one');
    assert.deepEqual(
      events.map(({ action, by, user, reason }) => [action, by, user, reason]),
      [
        ['user.disconnect', 'root', 'audited-one', undefined],
        ['user.revoke', 'root', 'audited-one', 'because of one'],
      ],
    );
    assert.ok(Math.abs((events[0]?.ts ?? 0) - Date.now()) < 60_000);
    const first = await audit('limit=2');
    assert.equal(first.events.length, 2);
    const second = await audit(`limit=2&cursor=${first.cursor}`);
    const all = await audit('limit=4');
    assert.deepEqual([...first.events, ...second.events], all.events);
    assert.equal((await audit('action=user.revoke&user=audited-two')).events.length, 1);
    const { user } = await createGuest(nodes()[0].url, 'Mina');
    await poll('the sign-in', async () => (await audit('kind=sign-ins')).events.length === 1);
    assert.equal((await audit('kind=sign-ins&action=sign-in.guest')).events[0]?.by, user.id);
    assert.deepEqual(await audit('room=none'), { events: [] });
    const logged = nodes()[1].output().split('\n');
    assert.ok(logged.some((line) => line.includes('"msg":"audit"') && line.includes('because of three')));
  });

  for (const query of ['limit=0', 'limit=201', 'cursor=x', 'cursor=1', 'kind=all', 'room=*', 'action=A', 'user='])
    test(`refuses ${query}`, async () =>
      assertProblem(await admin(`/audit?${query}`, { method: 'GET' }), 400, 'invalid'));
});
