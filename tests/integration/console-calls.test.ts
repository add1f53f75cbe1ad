/** Administrators' calls over HTTP: nodes, users, rooms, reports, settings. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Notice } from '@maru/protocol';
import { assertHttpAnswer } from '@maru/protocol/describe';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { assertProblem, call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';

const ADMIN = tokenOf('root', { roles: ['admin'] });
const open: TestClient[] = [];
let site: Gateways;
before(async () => {
  site = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
});
after(async () => {
  for (const client of open) client.close();
  await site?.stop();
});

const urlOf = (index: number): string => site.gateways[index]?.url as string;

async function enter(sub: string, index: number): Promise<TestClient> {
  const client = await connect(urlOf(index), { token: tokenOf(sub) });
  open.push(client);
  return client;
}

/** Calls as an administrator, and checks the answer against the contract. */
async function ask<T>(
  operation: Parameters<typeof assertHttpAnswer>[0],
  path: string,
  options: { method?: string; body?: unknown } = {},
) {
  const answer = await call<T>(urlOf(1), `/admin${path}`, { token: ADMIN, ...options });
  assertHttpAnswer(operation, answer.status, answer.body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

interface Page {
  rooms: Array<{ room: string; entriesPerS?: number | null; connections?: number; closed: boolean }>;
  cursor?: string;
}

describe('an administrator sees', () => {
  test('each node with its load and its dependencies', async () => {
    await enter(`u-${newId()}`, 0);
    const nodes = await poll(
      'both nodes to report',
      async () => {
        const report = await ask<{ nodes: Array<Record<string, unknown>> }>('listNodes', '/nodes');
        const isWhole = report.nodes.length === 2 && report.nodes.some(({ connections }) => connections === 1);
        return isWhole && report.nodes;
      },
      { timeoutMs: 15_000 },
    );
    for (const node of nodes as Array<Record<string, unknown>>)
      assert.deepEqual([node.redis, node.archive, node.draining], ['ok', 'off', false]);
  });

  test('users by a part of the name on all nodes, in pages, and the sessions of one', async () => {
    const tag = newId()
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')
      .slice(0, 8);
    const ids = ['a', 'b', 'c'].map((letter) => `${tag}-${letter}`);
    const rooms = newRoom('who');
    for (const [index, id] of [...ids, ids[0] as string].entries()) {
      const client = await enter(id, index % 2);
      if (index === 0) await client.ok('room:join', { room: rooms });
    }
    const first = await ask<{ users: Array<{ id: string }>; cursor: string; missing: string[] }>(
      'listUsers',
      `/users?q=${tag.toUpperCase()}&limit=2`,
    );
    assert.deepEqual([first.users.map(({ id }) => id), first.missing], [ids.slice(0, 2), []]);
    const second = await ask<{ users: Array<{ id: string }>; cursor?: string }>(
      'listUsers',
      `/users?q=${tag}&limit=2&cursor=${first.cursor}`,
    );
    assert.deepEqual([second.users.map(({ id }) => id), second.cursor], [ids.slice(2), undefined]);
    const one = await ask<{ connections: Array<{ node: string; rooms: number }> }>('readUser', `/users/${ids[0]}`);
    assert.deepEqual(one.connections.map(({ rooms: joined }) => joined).sort(), [0, 1]);
    assert.equal(new Set(one.connections.map(({ node }) => node)).size, 2);
  });

  test('public rooms by id, a private one by its id, and the busiest', async () => {
    const owner = await enter(`o-${newId()}`, 0);
    const prefix = newRoom('adm');
    for (const letter of ['a', 'b', 'c']) await owner.ok('room:create', { room: `${prefix}-${letter}` });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: Page = await ask(
        'listAllRooms',
        `/rooms?q=${prefix}&limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.rooms.map(({ room }) => room));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(
      seen,
      ['a', 'b', 'c'].map((letter) => `${prefix}-${letter}`),
    );
    const { room } = await owner.ok('room:create', { visibility: 'private' });
    const found = await ask<Page>('listAllRooms', `/rooms?q=${room}`);
    assert.deepEqual(
      found.rooms.map((one) => one.room),
      [room],
    );
    assert.deepEqual((await ask<Page>('listAllRooms', '/rooms?q=%2A')).rooms, []);
    await owner.ok('room:join', { room });
    const busy = await ask<Page>('listAllRooms', '/rooms?order=activity&limit=200');
    const own = busy.rooms.find((one) => one.room === room);
    assert.equal(own?.connections, 1);
  });

  test('rooms with open reports, until the reports are closed', async () => {
    const [owner, member] = [await enter(`o-${newId()}`, 0), await enter(`m-${newId()}`, 1)];
    const room = newRoom('rep');
    await owner.ok('room:create', { room });
    for (const client of [owner, member]) await client.ok('room:join', { room });
    const { seq } = await owner.ok('message:send', { room, clientMsgId: newId(), text: 'buy this' });
    await member.ok('message:report', { room, seq, reason: 'spam' });
    const listed = async () =>
      (
        await ask<{ rooms: Array<{ room: string; reports: number }> }>('listReportedRooms', '/reports?limit=200')
      ).rooms.find((one) => one.room === room);
    await poll('the room in the list', async () => (await listed())?.reports === 1);
    const { reports } = await owner.ok('room:reports', { room });
    await owner.ok('room:report-close', { room, id: reports[0]?.id as string });
    assert.equal(await listed(), undefined);
  });
});

test("an administrator sees the program and transport of a user's connections", async () => {
  const [named, nameless] = [`named-${newId()}`, `nameless-${newId()}`];
  open.push(await connect(urlOf(0), { auth: { token: tokenOf(named), program: 'our app/2.1' } }));
  open.push(await connect(urlOf(0), { auth: { token: tokenOf(nameless), program: '<b>bold</b>' } }));
  const of = async (id: string) =>
    (await ask<{ connections: Array<Record<string, unknown>> }>('readUser', `/users/${id}`)).connections.map(
      ({ transport, program }) => [transport, program],
    );
  assert.deepEqual(await of(named), [['websocket', 'our app/2.1']]);
  assert.deepEqual(await of(nameless), [['websocket', undefined]]);
});

describe('an administrator orders and reads', () => {
  test('an announcement to all users, who receive it once', async () => {
    const clients = [await enter(`u-${newId()}`, 0), await enter(`u-${newId()}`, 1)];
    const text = `maintenance at noon ${newId()}`;
    await ask('announce', '/announcements', { method: 'POST', body: { text } });
    const got = (client: TestClient) => client.payloads<Notice>('notice').filter((notice) => notice.text === text);
    await poll('the announcement on both nodes', () => clients.every((client) => got(client).length === 1));
    assert.deepEqual(got(clients[0] as TestClient), [{ code: 'announcement', text }]);
    const blank = await call(urlOf(0), '/admin/announcements', { method: 'POST', token: ADMIN, body: { text: ' ' } });
    assertProblem(blank, 400, 'invalid');
  });

  test('the effective settings without secrets', async () => {
    const { settings } = await ask<{ settings: Array<{ name: string; value: string | null; secret: boolean }> }>(
      'listSettings',
      '/settings',
    );
    const settingOf = (name: string) => settings.find((one) => one.name === name);
    assert.deepEqual(settingOf('MARU_JWT_SECRET')?.value, null);
    assert.equal(settingOf('MARU_LISTEN_PORT')?.value !== null, true);
    assert(settings.filter(({ secret }) => secret).every(({ value }) => value === null));
  });

  test('nothing without the role: other users are refused, and nothing happens', async () => {
    const paths = ['/nodes', '/users', '/users/mina', '/rooms', '/reports', '/settings', '/audit'];
    for (const path of paths)
      assertProblem(await call(urlOf(0), `/admin${path}`, { token: tokenOf('mina') }), 403, 'forbidden');
    for (const path of ['/nodes/gateway-1/drain', '/nodes/gateway-1/rebalance', '/announcements']) {
      const refused = await call(urlOf(0), `/admin${path}`, {
        method: 'POST',
        token: tokenOf('mina'),
        body: { text: 'x' },
      });
      assertProblem(refused, 403, 'forbidden');
    }
  });

  test('nothing with the token of an administrator who lost the role', async () => {
    const former = `former-${newId()}`;
    const token = tokenOf(former, { roles: ['admin'] });
    const statuses = () =>
      Promise.all([0, 1].map(async (index) => (await call(urlOf(index), '/admin/nodes', { token })).status));
    assert.deepEqual(await statuses(), [200, 200]);
    await ask('revokeUser', `/users/${former}/revoke`, { method: 'POST', body: {} });
    await poll('both nodes to refuse', async () => (await statuses()).every((status) => status === 401), {
      timeoutMs: 1_000,
    });
    const drain = await call(urlOf(0), '/admin/nodes/gateway-1/drain', { method: 'POST', token });
    assertProblem(drain, 401, 'unauthenticated');
  });

  test('nothing with a form of another site, which has no token', async () => {
    const client = await enter(`u-${newId()}`, 0);
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain']) {
      const send = (more: Record<string, string>) => {
        const headers = { 'content-type': type, cookie: `token=${ADMIN}`, ...more };
        return call(urlOf(0), '/admin/announcements', { method: 'POST', headers, body: '{"text":"planted"}' });
      };
      assertProblem(await send({ origin: 'https://other.example' }), 403, 'forbidden', type);
      assertProblem(await send({ origin: 'null' }), 403, 'forbidden', type);
      assertProblem(await send({}), 401, 'unauthenticated', type);
    }
    const text = `after the forms ${newId()}`;
    await ask('announce', '/announcements', { method: 'POST', body: { text } });
    const texts = () => client.payloads<Notice>('notice').map((notice) => notice.text);
    await poll('the announcement', () => texts().includes(text));
    assert(!texts().some((one) => one?.includes('planted')));
  });

  test('the drain of a node: its connections are handed over, then its process ends', async () => {
    const absent = await call(urlOf(0), '/admin/nodes/nobody/drain', { method: 'POST', token: ADMIN });
    assertProblem(absent, 404, 'not_found');
    const { nodes } = await ask<{ nodes: Array<{ node: string }> }>('listNodes', '/nodes');
    const client = await enter(`u-${newId()}`, 0);
    const [first] = nodes;
    await ask('rebalanceNode', `/nodes/${first?.node}/rebalance`, { method: 'POST' });
    await ask('drainNode', `/nodes/${first?.node}/drain`, { method: 'POST' });
    await poll('the notice', () => client.payloads<Notice>('notice').some(({ code }) => code === 'draining'));
    await poll(
      'one node',
      async () => {
        const left = await ask<{ nodes: unknown[] }>('listNodes', '/nodes');
        return left.nodes.length === 1;
      },
      { timeoutMs: 20_000 },
    );
    const { events } = await ask<{ events: Array<{ action: string; node?: string }> }>(
      'readAudit',
      '/audit?action=node.drain',
    );
    assert.equal(events[0]?.node, first?.node);
  });
});
