/** The actions of one user over all gateways are limited, and other users are not affected. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Ack, Notice } from '@maru/protocol';
import { connect, TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';

const JOINS_BURST = 80;
const TYPING_BURST = 40;
const CONNECTIONS_MAX = 40;
/** Connections of a user on one gateway that are not counted. */
const FREE_CONNECTIONS = 5;
/** The own share of each gateway, in addition to a burst. */
const partOf = (burst: number) => burst / 8;

let cluster: Gateways;
let urls: string[];
const open: TestClient[] = [];

before(async () => {
  cluster = await startGateways({
    gateways: 2,
    environment: {
      ...WIDE_LIMITS,
      MARU_USER_JOINS_PER_SECOND: '1',
      MARU_USER_JOINS_BURST: String(JOINS_BURST),
      MARU_USER_TYPING_PER_SECOND: '1',
      MARU_USER_TYPING_BURST: String(TYPING_BURST),
      MARU_CONNECTIONS_PER_USER_MAX: String(CONNECTIONS_MAX),
      MARU_CONNECTIONS_PER_USER_CLUSTER_MAX: String(CONNECTIONS_MAX),
      MARU_CONNECTION_SLOTS_TTL_MS: '3000',
      MARU_CONNECTION_BYTES_BURST: '300000',
      MARU_CONNECTION_BYTES_PER_SECOND: '1000',
      MARU_CONNECTION_REQUESTS_MAX: '300',
      MARU_CONNECTIONS_MAX: '60',
    },
  });
  urls = cluster.gateways.map(({ url }) => url);
});
after(async () => {
  for (const client of open) client.close();
  await cluster?.stop();
});

async function connectMany(token: string, count: number): Promise<TestClient[]> {
  const clients = await Promise.all(
    urls.flatMap((url) => Array.from({ length: count }, () => connect(url, { token }))),
  );
  open.push(...clients);
  return clients;
}

/** Sends `each` requests on every connection concurrently. Counts the served ones. */
async function flood(
  clients: TestClient[],
  each: number,
  send: (client: TestClient, n: number) => Promise<Ack<unknown>>,
) {
  const startedAtMs = Date.now();
  const acks = await Promise.all(clients.flatMap((client) => Array.from({ length: each }, (_, n) => send(client, n))));
  const errors = acks.flatMap((ack) => (ack.ok ? [] : [ack.error]));
  for (const error of errors) {
    assert.equal(error.code, 'rate_limited');
    assert.ok((error.retryAfterMs ?? 0) > 0, 'a refusal names the wait');
  }
  return { served: acks.length - errors.length, seconds: Math.ceil((Date.now() - startedAtMs) / 1_000) };
}

test('one user with 40 connections on two gateways floods joins and typing, and another user is not affected', async () => {
  const clients = await connectMany(tokenOf('flooder'), CONNECTIONS_MAX / 2);
  const [calm] = await connectMany(tokenOf('calm'), 1);
  assert.ok(calm !== undefined);
  await calm.ok('room:join', { room: 'tea' });
  for (const [burst, send] of [
    [JOINS_BURST, (client, n) => client.request('room:join', { room: `tea-${n % 3}` })],
    [TYPING_BURST, (client, n) => client.request('typing', { room: 'tea', active: n % 2 === 0 })],
  ] as Array<[number, (client: TestClient, n: number) => Promise<Ack<unknown>>]>) {
    const flooding = flood(clients, 20, send);
    await calm.ok('room:join', { room: 'coffee' });
    await calm.ok('typing', { room: 'tea', active: true });
    await calm.ok('message:send', { room: 'tea', clientMsgId: `m-${burst}`, text: 'hello' });
    const { served, seconds } = await flooding;
    // A lease of up to 16 tokens may be left on each gateway.
    assert.ok(served >= burst - 32 && served <= burst + 2 * partOf(burst) + 2 * seconds, `${served} of ${burst}`);
  }
  for (const limit of ['joins', 'typing']) {
    const refused = await Promise.all(
      cluster.gateways.map((gateway) => gateway.metric('maru_requests_limited_total', `limit="${limit}"`)),
    );
    assert.ok(
      refused.every((count) => count > 0),
      `${limit}: ${refused}`,
    );
  }
  // Without an acknowledgement a refused event is dropped, and the connection stays.
  clients[0]?.socket.emit('typing', { room: 'tea', active: true });
  await clients[0]?.ok('room:leave', { room: 'tea-0' });
  for (const client of clients) client.close();
});

test('bytes and requests in progress of a connection are limited', async () => {
  const client = await connect(urls[0] as string, { token: tokenOf('bytes') });
  open.push(client);
  await client.ok('room:join', { room: 'tea' });
  const text = 'x'.repeat(4_000);
  const send = (n: number) => client.request('message:send', { room: 'tea', clientMsgId: `b-${n}`, text });
  const acks = await Promise.all(Array.from({ length: 120 }, (_, n) => send(n)));
  const served = acks.filter(({ ok }) => ok).length;
  assert.ok(served >= 70 && served <= 80, `${served} of 120 large messages`);
  assert.match(JSON.stringify(acks.at(-1)), /rate_limited.*too many bytes/);
  await client.ok('typing', { room: 'tea', active: true });

  const joins = await Promise.all(Array.from({ length: 400 }, () => client.request('history:read', { room: 'tea' })));
  const refused = joins.filter((ack) => JSON.stringify(ack).includes('too many requests in progress'));
  assert.ok(refused.length > 0 && refused.length <= 100, `${refused.length} refused`);
  for (const ack of refused) assert.equal(ack.ok ? 0 : ack.error.retryAfterMs, 1_000);
  await client.ok('history:read', { room: 'tea' });
  client.close();
});

test('the connections of a user are limited over both gateways, and those of a killed gateway expire', async () => {
  const [first, second] = cluster.gateways;
  assert.ok(first !== undefined && second !== undefined);
  const token = tokenOf('connected');
  /** Undefined if the connection was refused. */
  const more = async (url: string): Promise<TestClient | undefined> => {
    const client = new TestClient(url, { token });
    open.push(client);
    client.socket.connect();
    await poll('an answer', () => client.received.length > 0);
    const [answer] = client.received;
    if (answer?.name === 'session') return client;
    assert.deepEqual([answer?.name, (answer?.payload as Notice | undefined)?.code], ['notice', 'too_many_connections']);
    return undefined;
  };
  const clients = await Promise.all(Array.from({ length: CONNECTIONS_MAX - FREE_CONNECTIONS }, () => more(first.url)));
  assert.ok(clients.every((client) => client !== undefined));
  for (let n = 0; n < FREE_CONNECTIONS; n++) assert.ok(await more(second.url));
  assert.equal(await more(second.url), undefined);
  assert.equal(await second.metric('maru_handshakes_refused_total', 'reason="cluster_connections"'), 1);

  clients[0]?.close();
  await poll('the place of a closed connection', async () => (await more(second.url)) !== undefined);
  assert.equal(await more(second.url), undefined);

  await first.end('SIGKILL');
  await poll('the places of the killed gateway', async () => (await more(second.url)) !== undefined, {
    timeoutMs: 10_000,
  });
  const others = await Promise.all(
    Array.from({ length: CONNECTIONS_MAX - FREE_CONNECTIONS - 2 }, () => more(second.url)),
  );
  assert.ok(others.every((client) => client !== undefined));
  assert.equal(await more(second.url), undefined);
});

test('a gateway with the maximum of connections answers 503, signed in or not', async () => {
  const gateway = cluster.gateways[1];
  assert.ok(gateway !== undefined);
  const handshake = async () => (await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`)).status;
  const statuses: number[] = [];
  for (let n = 0; n < 40; n++) statuses.push(await handshake());
  assert.deepEqual([...new Set(statuses)], [200, 503]);
  assert.ok((await gateway.metric('maru_handshakes_refused_total', 'reason="node_connections"')) > 0);
  assert.equal(await gateway.ready(), true);
});
