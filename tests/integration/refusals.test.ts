/** A refused client receives the reason, waits, and is accepted once the reason is gone. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ChatClient, type ConnectionState, createChatClient } from '@maru/client';
import { LIMITS, type Notice } from '@maru/protocol';
import { connect, TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll, sleep } from '../support/poll.ts';
import { startReverseProxy } from '../support/reverse-proxy.ts';

const PLANTED = 'planted-secret';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let providerWorks = false;
const provider = createServer((_request, response) => {
  if (!providerWorks) return response.writeHead(503).end('<html>maintenance</html>');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' };
  return response.end(JSON.stringify({ keys: [jwk] }));
});
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function providerToken(sub: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const body = `${part({ alg: 'RS256', kid: 'one' })}.${part({ sub, name: sub, exp })}`;
  return `${body}.${sign('sha256', Buffer.from(body), privateKey).toString('base64url')}`;
}

let site: Gateways;
const open: Array<{ close(): void }> = [];
before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  site = await startGateways({
    environment: {
      ...WIDE_LIMITS,
      MARU_CONNECTIONS_PER_USER_MAX: '2',
      MARU_LOG_LEVEL: 'info',
      MARU_JWKS_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`,
    },
  });
});
afterEach(() => {
  for (const closable of open.splice(0)) closable.close();
  providerWorks = false;
});
after(async () => {
  await site.stop();
  provider.close();
  provider.closeAllConnections();
});

const gateway = () => site.gateways[0] ?? assert.fail('no gateway');
const lines = () =>
  gateway()
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { msg: string; reason?: string });

/** A client of the library that records the times and reasons of going offline. */
function startChat(url: string, getToken: () => string) {
  const client = createChatClient({ url, getToken });
  const states: ConnectionState[] = [];
  client.on('connection', (state) => states.push({ ...state }));
  client.connect();
  open.push(client);
  const offline = () => states.flatMap((state) => (state.state === 'offline' ? [state] : []));
  return { client, states, offline };
}
const isConnected = (client: ChatClient) => client.connection.state === 'connected';

describe('a connection beyond the limit of a user', () => {
  for (const transport of ['websocket', 'polling'] as const)
    test(`of a plain client is notified, and connects when a place is free: ${transport}`, async () => {
      const token = tokenOf(`plain-${transport}`);
      const [first] = [await connect(gateway().url, { token }), await connect(gateway().url, { token })];
      const more = new TestClient(gateway().url, { token, transports: [transport], reconnection: true });
      open.push(first, more);
      const errors: Error[] = [];
      more.socket.on('connect_error', (error) => errors.push(error));
      more.socket.connect();
      await poll('it to be closed twice', () => more.disconnects.length >= 2);
      const notices = more.payloads<Notice>('notice');
      assert.deepEqual([notices[0]?.code, notices[0]?.reconnectInMs], ['too_many_connections', 5_000]);
      assert.match(notices[0]?.message ?? '', /maximum/);
      assert.deepEqual([...new Set(more.disconnects), ...errors], ['transport close']);
      first.close();
      await more.event('session');
    });

  test('of the client library reports the reason, waits, and connects when a place is free', async () => {
    const token = tokenOf('lib');
    const [first] = [await connect(gateway().url, { token }), await connect(gateway().url, { token })];
    open.push(first);
    let asked = 0;
    const { client, offline } = startChat(gateway().url, () => {
      asked++;
      return token;
    });
    const startedAtMs = Date.now();
    await poll('two refusals', () => offline().length >= 2, { timeoutMs: 20_000 });
    assert.ok(Date.now() - startedAtMs >= 5_000, 'it waits as long as the error says');
    assert.deepEqual(
      offline().map(({ error }) => [error?.code, error?.reason, error?.retryable, error?.retryAfterMs]),
      [
        ['rate_limited', 'too_many_connections', true, 5_000],
        ['rate_limited', 'too_many_connections', true, 5_000],
      ],
    );
    const [before, after] = offline().map(({ retryAtMs }) => retryAtMs);
    // The second delay is at least 10 s, and counts from the end of the first.
    assert.ok((after ?? 0) - (before ?? 0) >= 10_000, 'the delays grow');
    assert.equal(asked, 2);
    first.close();
    await poll('it to be connected', () => isConnected(client), { timeoutMs: 20_000 });
  });
});

describe('a page with a wrong origin', () => {
  const cases = {
    'a foreign origin': { origin: `https://${PLANTED}.example` },
    'a proxy that rewrites Host': { origin: 'https://chat.example', host: 'gateway.internal:3000' },
    'the origin null': { origin: 'null' },
  };
  const tryOut = async (name: string, headers: Record<string, string>) => {
    for (const transport of ['polling', 'websocket'])
      for (const address of [`/socket.io/?EIO=4&transport=${transport}`, '/api/v1/rooms']) {
        const proxy = await startReverseProxy(gateway().url, headers);
        open.push(proxy);
        const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
        const isUpgrade = transport === 'websocket' && address.startsWith('/socket.io/');
        const answer = await answerTo(proxy.url + address, isUpgrade ? upgrade : {});
        assert.equal(answer.status, 403, name);
        assert.deepEqual([answer.body.code, answer.body.retryable], ['forbidden', false], name);
        assert.match(String(answer.body.detail), /origin/, name);
      }
    const proxy = await startReverseProxy(gateway().url, headers);
    open.push(proxy);
    const { offline } = startChat(proxy.url, () => tokenOf('page'));
    await sleep(6_000);
    assert.deepEqual([...new Set(offline().map(({ error }) => error?.code))], ['forbidden'], name);
    assert.match(offline()[0]?.error?.message ?? '', /origin/, name);
    // Each attempt uses both transports. With full jitter up to 0.5, 1, 2, 4 … s there are few.
    assert.ok(offline().length <= 14, `${name}: ${offline().length} tries in 6 s`);
  };
  // Run concurrently, because they only wait.
  test(`the answer and the client library give the reason, and the client waits: ${Object.keys(cases).join(', ')}`, async () => {
    await Promise.all(Object.entries(cases).map(([name, headers]) => tryOut(name, headers)));
  });
});

describe('a token whose key cannot be found now', () => {
  for (const transport of ['websocket', 'polling'] as const)
    test(`does not refuse a plain client permanently: ${transport}`, async () => {
      const token = providerToken(`plain-key-${transport}`);
      const client = new TestClient(await freshGateway(), { token, transports: [transport], reconnection: true });
      open.push(client);
      const errors: Error[] = [];
      client.socket.on('connect_error', (error) => errors.push(error));
      client.socket.connect();
      await poll('a failed try', () => errors.length > 0);
      assert.equal(client.socket.active, true);
      assert.deepEqual(client.received, []);
      providerWorks = true;
      await client.event('session');
      assert.equal(
        errors.find((error) => 'data' in error),
        undefined,
      );
    });

  test('gives the client library a retryable error', async () => {
    const { client, offline } = startChat(await freshGateway(), () => providerToken('lib-key'));
    await poll('a refusal', () => offline().length >= 1, { timeoutMs: 20_000 });
    const [refusal] = offline();
    assert.deepEqual([refusal?.error?.code, refusal?.error?.retryable], ['unavailable', true]);
    providerWorks = true;
    await poll('it to be connected', () => isConnected(client), { timeoutMs: 30_000 });
  });

  test('is answered 503 over HTTP, with the time to wait', async () => {
    const url = await freshGateway();
    const headers = { authorization: `Bearer ${providerToken('http')}` };
    const answer = await fetch(`${url}/api/v1/rooms`, { headers });
    const body = (await answer.json()) as Record<string, unknown>;
    assert.deepEqual([answer.status, body.code, body.retryable], [503, 'unavailable', true]);
    assert.equal(answer.headers.get('retry-after'), '1');
  });
});

test('each fetch of the key set is counted by its outcome', async () => {
  const count = (outcome: string) => gateway().metric('maru_key_set_fetches_total', `outcome="${outcome}"`);
  const before = [await count('ok'), await count('failed')];
  const headers = { authorization: `Bearer ${providerToken('counted')}` };
  assert.equal((await fetch(`${gateway().url}/api/v1/rooms`, { headers })).status, 503);
  assert.deepEqual([await count('ok'), await count('failed')], [before[0], Number(before[1]) + 1]);
});

test('a wrong claim is named to a plain client and to the host of the client library', async () => {
  const wrong: Array<[claim: string, claims: Record<string, unknown>]> = [
    ['exp', { exp: 1 }],
    ['nbf', { nbf: Math.floor(Date.now() / 1_000) + 3_600 }],
    ['sub', { sub: `guest-${PLANTED}` }],
  ];
  for (const [claim, claims] of wrong) {
    const token = tokenOf('claims', claims);
    await assert.rejects(connect(gateway().url, { token }), new RegExp(`check ${claim}`));
    const warnings: string[] = [];
    const logger = { debug: () => {}, warn: (...line: unknown[]) => warnings.push(JSON.stringify(line)) };
    const client = createChatClient({ url: gateway().url, getToken: () => token, logger });
    client.connect();
    open.push(client);
    await poll('the end', () => client.connection.state === 'ended');
    assert.match(warnings.join(), new RegExp(`check ${claim}`));
  }
});

test('the 201st room and the 65th held request get an error', async () => {
  const client = await connect(gateway().url, { token: tokenOf('rooms') });
  open.push(client);
  for (let n = 0; n < LIMITS.roomsPerConnectionMax; n++) await client.ok('room:join', { room: `many-${n}` });
  const last = await client.request('room:join', { room: 'one-more' });
  assert.equal(last.ok ? 'ok' : last.error.code, 'conflict');
  assert.match(last.ok ? '' : last.error.message, /200 rooms/);

  // A resume waits for Redis, and so do later requests.
  await site.redis.kill('SIGSTOP');
  const resuming = new TestClient(gateway().url, { token: tokenOf('held'), resume: { tea: { epoch: 'x', seq: 0 } } });
  open.push(resuming);
  const answers: unknown[] = [];
  resuming.socket.on('connect', () => {
    for (let n = 0; n < 65; n++)
      resuming.socket.emit('room:leave', { room: 'tea' }, (ack: { ok: boolean }) => answers.push([n, ack]));
  });
  resuming.socket.connect();
  await sleep(500);
  await site.redis.kill('SIGCONT');
  await poll('the answers', () => answers.length === 65, { timeoutMs: 20_000 });
  const refused = answers.filter((answer) => JSON.stringify(answer).includes('still being resumed'));
  assert.equal(refused.length, 1);
  assert.match(JSON.stringify(refused[0]), /^\[64,.*"unavailable".*"retryable":true,"retryAfterMs":1000/);
});

test('the gateway logs each reason, at a bounded rate, and no value', async () => {
  const about = (reason: string) =>
    lines().filter((line) => line.msg === 'a handshake was refused' && line.reason === reason).length;
  const before = about('origin');
  for (let n = 0; n < 100; n++)
    await fetch(`${gateway().url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: `https://${PLANTED}-${n}` },
    });
  await fetch(`${gateway().url}/api/v1/rooms`, {
    headers: { authorization: `Bearer ${tokenOf(PLANTED, { exp: 1 })}` },
  });
  const token = tokenOf('logged');
  for (let n = 0; n < 2; n++) open.push(await connect(gateway().url, { token }));
  const more = new TestClient(gateway().url, { token });
  open.push(more);
  more.socket.connect();
  await poll('the lines', () => lines().some(({ reason }) => reason === 'connections'));
  const origins = about('origin') - before;
  assert.ok(origins > 0 && origins <= 50, `${origins} lines about 100 origins`);
  assert.ok(lines().some(({ msg, reason }) => msg === 'a token was refused' && reason?.endsWith('check exp')));
  assert.ok(!gateway().output().includes(PLANTED), gateway().output());
});

/** A gateway that has fetched no keys. It ends with the test. */
async function freshGateway(): Promise<string> {
  const fresh = await startGateways({
    redis: site.redis,
    environment: { MARU_JWKS_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys` },
  });
  open.push({ close: () => void fresh.stop() });
  return fresh.gateways[0]?.url ?? assert.fail('no gateway');
}

/** Of a request or a refused upgrade. */
async function answerTo(url: string, headers: Record<string, string>) {
  const { request } = await import('node:http');
  return new Promise<{ status: number | undefined; body: Record<string, unknown> }>((resolve, reject) => {
    const sent = request(url, { headers: { ...headers, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' } });
    sent.on('error', reject);
    sent.on('response', async (answer) => {
      let text = '';
      for await (const chunk of answer) text += String(chunk);
      resolve({ status: answer.statusCode, body: JSON.parse(text) as Record<string, unknown> });
    });
    sent.end();
  });
}
