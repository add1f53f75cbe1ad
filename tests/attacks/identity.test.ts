/** Forged tokens and addresses, and leaks of tokens. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { readStore } from '../integration/store-search.ts';
import { connect } from '../support/client.ts';
import { SECRET, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { rawRequest } from '../support/raw.ts';
import { createGuest, mintToken, newId, newRoom } from '../support/tokens.ts';
import { FrameSocket, Tcp } from './frame-socket.ts';
import { type Site, startSite, urlOf, WAYS, type Way } from './site.ts';

const VALID = { aud: 'maru', iss: 'https://login.example' };
const GUEST_SECRET = 'guest-secret-for-tests-0123456789abcdef';
const GUESTS_BURST = 5;
const nowSeconds = () => Math.floor(Date.now() / 1_000);

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const attacker = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' };
/** Requested paths. `/keys` is configured. All others would have been chosen by a token. */
const fetched: string[] = [];
const provider = createServer((request, response) => {
  fetched.push(request.url ?? '');
  response.end(JSON.stringify({ keys: [jwk] }));
});

let site: Site;
let keysUrl: string;
before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  keysUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
  site = await startSite({
    claims: VALID,
    environment: {
      ...WIDE_LIMITS,
      MARU_JWKS_URL: keysUrl,
      MARU_JWT_ISSUER: VALID.iss,
      MARU_JWT_AUDIENCE: VALID.aud,
      MARU_GUESTS: 'on',
      MARU_GUEST_SECRET: GUEST_SECRET,
      MARU_ADDRESS_CALLS_PER_SECOND: '1',
      MARU_ADDRESS_CALLS_BURST: String(GUESTS_BURST),
      MARU_LOG_LEVEL: 'trace',
    },
    presenceEnvironment: { MARU_LOG_LEVEL: 'trace' },
  });
});
after(async () => {
  await site?.stop();
  provider.close();
  provider.closeAllConnections();
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (claims: object = {}) => ({
  sub: 'eve',
  name: 'Eve',
  iat: nowSeconds(),
  exp: nowSeconds() + 600,
  ...VALID,
  ...claims,
});
function rsaToken(claims: object = {}, header: object = {}, key = privateKey): string {
  const body = `${part({ alg: 'RS256', kid: 'one', ...header })}.${part(claimsOf(claims))}`;
  return `${body}.${sign('sha256', Buffer.from(body), key).toString('base64url')}`;
}
const hmacToken = (key: string, header: object = {}, claims: object = {}) =>
  mintToken(key, claimsOf(claims), { alg: 'HS256', typ: 'JWT', ...header });

/** Each is invalid in one way. */
function forgedTokens(): Record<string, string> {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const elsewhere = keysUrl.replace('/keys', '/elsewhere');
  return {
    'alg none, unsigned': `${part({ alg: 'none' })}.${part(claimsOf())}.`,
    'alg NONE, signed': hmacToken(SECRET, { alg: 'NONE' }),
    'the public key as a shared secret': hmacToken(pem, { kid: 'one' }),
    'the trimmed public key as a shared secret': hmacToken(pem.trim()),
    'the modulus as a shared secret': hmacToken(String(jwk.n), { kid: 'one' }),
    'the key set as a shared secret': hmacToken(JSON.stringify(jwk)),
    'RS256, signed with the shared secret': hmacToken(SECRET, { alg: 'RS256', kid: 'one' }),
    HS512: hmacToken(SECRET, { alg: 'HS512' }),
    'HS256 with the signature of RS256': rsaToken({}, { alg: 'HS256' }),
    'a key id that is a path': hmacToken('', { kid: '../../../../dev/null' }),
    'a key id that is a query': hmacToken('x', { kid: "' UNION SELECT 'x" }),
    "the guests' key id": hmacToken(SECRET, { kid: 'maru-guest' }, { iss: 'maru-guest', sub: 'guest-eve' }),
    'a guest id': hmacToken(SECRET, {}, { sub: 'guest-eve' }),
    'a key set of its own': rsaToken({}, { jku: elsewhere, x5u: elsewhere }, attacker.privateKey),
    'a key of its own': hmacToken('own', { jwk: { kty: 'oct', k: part('own') } }),
    'a critical extension': hmacToken(SECRET, { crit: ['exp'] }),
    'another audience': hmacToken(SECRET, {}, { aud: 'other' }),
    'another audience, RS256': rsaToken({ aud: ['other', 'another'] }),
    'no audience': hmacToken(SECRET, {}, { aud: undefined }),
    'another issuer': hmacToken(SECRET, {}, { iss: `${VALID.iss}.evil.example` }),
    'another issuer, RS256': rsaToken({ iss: 'https://evil.example' }),
    'no issuer': hmacToken(SECRET, {}, { iss: undefined }),
    expired: hmacToken(SECRET, {}, { exp: nowSeconds() - 60 }),
    'expired, RS256': rsaToken({ exp: nowSeconds() - 60 }),
    'an expiry in a hundred years': hmacToken(SECRET, {}, { exp: nowSeconds() + 100 * 365 * 86_400 }),
    'an expiry in a hundred years, RS256': rsaToken({ exp: nowSeconds() + 100 * 365 * 86_400 }),
    'an expiry beyond all numbers': hmacToken(SECRET, {}, { exp: 1e300 }),
    'no expiry': hmacToken(SECRET, {}, { exp: undefined }),
    'not yet valid': hmacToken(SECRET, {}, { nbf: nowSeconds() + 600 }),
    'no user': hmacToken(SECRET, {}, { sub: undefined }),
    'five parts': `${rsaToken()}.x.y`,
    'a space before it': ` ${hmacToken(SECRET)}`,
    'a line end after it': `${hmacToken(SECRET)}\n`,
  };
}

async function overWebSocket(way: Way, token: unknown): Promise<string> {
  const socket = await FrameSocket.open(urlOf(site, way));
  socket.send(`40${JSON.stringify({ token })}`);
  const answer = await socket.text((text) => text.startsWith('4'));
  socket.close();
  return answer;
}

async function overPolling(way: Way, token: unknown): Promise<string> {
  const path = '/socket.io/?EIO=4&transport=polling';
  const ask = (own: string, body?: string) =>
    rawRequest(urlOf(site, way), { path: own, ...(body === undefined ? {} : { method: 'POST', body }) });
  const { sid } = JSON.parse((await ask(path)).body.slice(1)) as { sid: string };
  const own = `${path}&sid=${encodeURIComponent(sid)}`;
  await ask(own, `40${JSON.stringify({ token })}`);
  return (await ask(own)).body;
}

describe('a forged token', () => {
  for (const way of WAYS)
    test(`is refused by both transports, the HTTP API and a renewal, ${way}`, async () => {
      const live = await connect(urlOf(site, way), { token: hmacToken(SECRET) });
      for (const valid of [hmacToken(SECRET), rsaToken()]) {
        assert.match(await overWebSocket(way, valid), /^40/);
        assert.match(await overPolling(way, valid), /^40/);
      }
      const REFUSED = /^44\{.*"code":"unauthenticated"/;
      for (const [what, token] of Object.entries(forgedTokens())) {
        assert.match(await overWebSocket(way, token), REFUSED, what);
        assert.match(await overPolling(way, token), REFUSED, what);
        await live.refused('unauthenticated', 'auth:renew', { token });
        if (/\s/.test(token)) continue;
        const { status, body } = await call(urlOf(site, way), '/rooms', { token });
        assert.deepEqual([status, body.code], [401, 'unauthenticated'], what);
      }
      for (const token of [undefined, null, 7, {}, ['x'], { $ne: '' }])
        assert.match(await overWebSocket(way, token), REFUSED, JSON.stringify(token));
      // The refused renewals did not change the session.
      await live.ok('room:join', { room: newRoom() });
      live.close();
      assert.deepEqual([...new Set(fetched)], ['/keys']);
    });
});

describe('a token', () => {
  test('and each secret stay out of logs, metrics, Redis and the commands that Redis gets', async (t) => {
    // A raw connection, because ioredis may send another command, which ends the monitor.
    const monitor = new Tcp(site.redis.url);
    t.after(() => monitor.close());
    monitor.write('MONITOR\r\n');
    await poll('the monitor', () => monitor.text().startsWith('+OK'));
    const guest = await createGuest(site.edge.url);
    const tokens = [guest.token, hmacToken(SECRET), rsaToken(), ...Object.values(forgedTokens())];
    for (const way of WAYS)
      for (const token of tokens) {
        await overWebSocket(way, token);
        const room = newRoom();
        const headers = { 'idempotency-key': newId() };
        if (!/\s/.test(token))
          await call(urlOf(site, way), `/rooms/${room}/messages`, {
            method: 'POST',
            token,
            headers,
            body: { text: 'x' },
          });
        await rawRequest(urlOf(site, way), { path: `/api/v1/rooms?token=${encodeURIComponent(token)}` });
      }
    const client = await connect(site.edge.url, { token: hmacToken(SECRET) });
    const renewing = hmacToken(SECRET, {}, { jti: newId() });
    await client.ok('auth:renew', { token: renewing });
    await client.ok('room:join', { room: newRoom() });
    await client.ok('presence:set', { status: 'away', text: 'lunch' });
    client.close();
    const places: Record<string, string> = {
      logs: site.printed(),
      metrics: (await site.gateway.scrape()) + (await site.presence.scrape()),
      'the store': JSON.stringify([...(await readStore(site.admin))]),
      'commands to the store': monitor.text(),
    };
    assert(monitor.text().split('\r\n').length > 100, 'the monitor must see commands');
    const signatures = [...tokens, renewing]
      .map((token) => token.split('.')[2] ?? '')
      .filter(({ length }) => length > 20);
    for (const [place, text] of Object.entries(places))
      for (const secret of [SECRET, GUEST_SECRET, ...signatures])
        assert(!text.includes(secret), `${secret} is in ${place}`);
  });
});

describe('a forged address', () => {
  /** Signs guests in, each with different headers. @returns the number of accepted sign-ins */
  async function letIn(
    tries: number,
    url: string,
    from: string,
    headersOf: (index: number) => string[],
  ): Promise<number> {
    let count = 0;
    for (let index = 0; index < tries; index++) {
      const tcp = new Tcp(url, from);
      const body = '{"name":"Mina"}';
      const head = ['POST /api/v1/guests HTTP/1.1', 'Host: a', 'Connection: close', `Content-Length: ${body.length}`];
      tcp.write([...head, ...headersOf(index), '', body].join('\r\n'));
      const status = await tcp.status();
      tcp.close();
      assert(status === 201 || status === 429, `${status}`);
      if (status === 201) count++;
    }
    return count;
  }
  const TRIES = 40;
  const fake = (index: number) => `10.1.2.${index}`;
  const spoofed = (index: number) => [
    `X-Forwarded-For: ${fake(index)}`,
    `X-Forwarded-For: ${fake(index)}, 10.9.9.9`,
    `X-Real-IP: ${fake(index)}`,
    `Forwarded: for=${fake(index)}`,
    `X-Forwarded-Host: ${fake(index)}`,
    `CF-Connecting-IP: ${fake(index)}`,
  ];

  const limited = (count: number) => assert(count <= TRIES / 2, `${count} of ${TRIES} were let in`);

  test('of a client is ignored through nginx', async () =>
    limited(await letIn(TRIES, site.edge.url, '127.0.0.3', spoofed)));

  test('of a client that is not a trusted proxy is ignored around nginx', async () =>
    limited(await letIn(TRIES, site.gateway.url, '127.0.0.2', spoofed)));

  test('in front of the one that a trusted proxy adds is ignored', async () =>
    limited(
      await letIn(TRIES, site.gateway.url, '127.0.0.1', (index) => [`X-Forwarded-For: ${fake(index)}, 10.8.8.8`]),
    ));

  test('that a trusted proxy adds is used', async () =>
    assert.equal(await letIn(10, site.gateway.url, '127.0.0.1', (index) => [`X-Forwarded-For: ${fake(index)}`]), 10));

  test('opens no internal path', async () => {
    for (const [url, from] of [
      [site.edge.url, '127.0.0.1'],
      [site.gateway.url, '127.0.0.2'],
    ] as const)
      for (const path of ['/edge/leave', '/metrics', '/readyz', '/v1/rooms/x', '/debug']) {
        const tcp = new Tcp(url, from);
        tcp.write(
          `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`,
        );
        const status = await tcp.status();
        tcp.close();
        assert(status === 404 || status === 405, `${path}: ${status}`);
      }
    await site.assertUnharmed();
  });
});
