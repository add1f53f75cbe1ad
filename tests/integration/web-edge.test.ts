/**
 * Answers for browsers and proxies: headers of every kind of answer, app origins, and the client's
 * address behind trusted proxies. Through nginx and around it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { handshake, type RawResponse, rawRequest } from '../support/raw.ts';

const APPS = ['capacitor://localhost', 'tauri://localhost', 'https://intranet.example.com'];
const STRANGERS = ['capacitor://stranger', 'tauri://localhost.evil', 'ionic://localhost', 'https://localhost', 'null'];
/** Guest sign-ins that one address may make at once. */
const ADDRESS_BURST = 3;
/** Handshakes that one address may make at once through nginx. */
const HANDSHAKE_BURST = 50;

let site: Gateways;
let nginx: Nginx;
const around = () => site.gateways[0]?.url ?? assert.fail('no gateway');
const through = () => nginx.url;
before(async () => {
  site = await startGateways({
    environment: {
      MARU_ALLOWED_ORIGINS: APPS.join(),
      MARU_GUESTS: 'on',
      MARU_GUEST_SECRET: 'a-guest-secret-for-tests-only-0123456789',
      MARU_TRUSTED_PROXIES: '127.0.0.1,10.1.0.0/16',
      MARU_ADDRESS_CALLS_PER_SECOND: '1',
      MARU_ADDRESS_CALLS_BURST: String(ADDRESS_BURST),
    },
  });
  nginx = await startNginx({
    gatewayPorts: [Number(new URL(around()).port)],
    trustedProxies: ['127.0.0.1', '10.2.0.0/16'],
    connectOrigins: ['https://login.example.com'],
    adapt: (configuration) =>
      configuration.replace('rate=500r/s', 'rate=1r/m').replaceAll('burst=1000', `burst=${HANDSHAKE_BURST}`),
    prepare: (webRoot) => {
      mkdirSync(join(webRoot, 'assets'));
      writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Maru</title>');
      writeFileSync(join(webRoot, 'assets/app.js'), 'export {};');
    },
  });
});
after(async () => {
  await nginx.stop();
  await site.stop();
});

/** Headers that do not affect what a browser allows. */
const UNRELATED = new Set(
  'server date connection keep-alive content-length transfer-encoding last-modified etag accept-ranges upgrade'.split(
    ' ',
  ),
);
const headersOf = ({ status, headers }: RawResponse) => ({
  status,
  ...Object.fromEntries(
    Object.entries(headers).filter(([name]) => !UNRELATED.has(name) && !name.startsWith('sec-websocket-')),
  ),
});

const NOSNIFF = { 'x-content-type-options': 'nosniff' };
const NO_STORE = { 'cache-control': 'no-store' };
const NOTHING = "default-src 'none'; frame-ancestors 'none'";
/** Headers of every answer of nginx. */
const EDGE = {
  ...NOSNIFF,
  'content-security-policy': NOTHING,
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};
const PAGE = {
  ...EDGE,
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https://login.example.com; img-src 'self' data:; " +
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'Accept-Encoding',
};
/** Headers that helmet adds to every answer of the API, and nginx passes on. */
const HELMET = {
  'origin-agent-cluster': '?1',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};
const API = {
  ...HELMET,
  ...NOSNIFF,
  ...NO_STORE,
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};
const API_THROUGH = { ...HELMET, ...EDGE, ...NO_STORE };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const PROBLEM = { 'content-type': 'application/problem+json; charset=utf-8' };
const EDGE_PROBLEM = { ...EDGE, ...NO_STORE, 'content-type': 'application/problem+json' };
const EDGE_TEXT = { ...EDGE, ...NO_STORE, 'content-type': 'text/plain' };
const EDGE_HTML = { ...EDGE, ...NO_STORE, 'content-type': 'text/html' };

const get = async (url: string, path: string, more: { method?: string; headers?: Record<string, string> } = {}) =>
  headersOf(await rawRequest(url, { path, ...more }));
/** Sends as another client of a proxy that nginx trusts. */
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
const asMina = () => ({ authorization: `Bearer ${tokenOf('mina')}` });

describe('the security headers', () => {
  test('of the page and its files', async () => {
    const page = { ...PAGE, 'cache-control': 'no-cache', 'content-type': 'text/html' };
    assert.deepEqual(await get(through(), '/'), { status: 200, ...page });
    const rooms = ['lobby', 'lobby/', 'a.b_c-1/17', 'Lobby', '%EA%B3%B5', 'logs.gz', 'logs.gz/17', 'a.br', 'a.br/'];
    for (const place of ['/index.html', '/rooms', ...rooms.map((room) => `/r/${room}`)])
      assert.deepEqual(await get(through(), place), { status: 200, ...page }, place);
    const asset = {
      ...PAGE,
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript',
    };
    assert.deepEqual(await get(through(), '/assets/app.js'), { status: 200, ...asset });
  });

  test('of the HTTP API', async () => {
    const ok = { status: 200, ...JSON_TYPE };
    assert.deepEqual(await get(around(), '/api/v1/rooms', { headers: asMina() }), { ...ok, ...API });
    assert.deepEqual(await get(through(), '/api/v1/rooms', { headers: asMina() }), { ...ok, ...API_THROUGH });
    const refused = { status: 401, ...PROBLEM, 'www-authenticate': 'Bearer' };
    assert.deepEqual(await get(around(), '/api/v1/rooms'), { ...refused, ...API });
    assert.deepEqual(await get(through(), '/api/v1/rooms'), { ...refused, ...API_THROUGH });
    const absent = { status: 404, ...PROBLEM };
    assert.deepEqual(await get(around(), '/nope'), { ...absent, ...API });
    assert.deepEqual(await get(through(), '/api/nope'), { ...absent, ...API_THROUGH });
  });

  test('of Socket.IO', async () => {
    const polled = { status: 200, 'content-type': 'text/plain; charset=UTF-8', vary: 'Origin', ...NO_STORE };
    const at = async (url: string, transport: 'polling' | 'websocket', origin?: string) =>
      headersOf(await handshake(url, { transport, ...(origin === undefined ? {} : { origin }) }));
    assert.deepEqual(await at(around(), 'polling'), { ...polled, ...NOSNIFF });
    assert.deepEqual(await at(through(), 'polling'), { ...polled, ...EDGE });
    assert.deepEqual(await at(around(), 'websocket'), { status: 101 });
    assert.deepEqual(await at(through(), 'websocket'), { status: 101, ...EDGE, ...NO_STORE });
    const refused = { status: 403, 'content-type': 'application/problem+json' };
    assert.deepEqual(await at(around(), 'polling', 'null'), { ...refused, vary: 'Origin', ...NO_STORE, ...NOSNIFF });
    assert.deepEqual(await at(around(), 'websocket', 'null'), { ...refused, ...NOSNIFF });
    assert.deepEqual(await at(through(), 'websocket', 'null'), { ...refused, ...NO_STORE, ...EDGE });
  });

  test("of nginx's own errors", async () => {
    for (const path of [
      '/nope.js',
      '/r',
      '/r/',
      '/r/a/b',
      '/r/a/1/2',
      '/rooms/x',
      '/r/.git',
      '/rooms.js',
      '/rooms.gz',
      '/console/',
    ])
      assert.deepEqual(await get(through(), path), { status: 404, ...EDGE_TEXT }, path);
    assert.deepEqual(await get(through(), '/metrics'), { status: 404, ...EDGE_TEXT });
    assert.deepEqual(await get(through(), '/.env'), { status: 404, ...EDGE_TEXT });
    assert.deepEqual(await get(through(), '/', { method: 'POST' }), { status: 405, ...EDGE_HTML });
    assert.deepEqual(await get(through(), '/api'), { status: 301, ...EDGE_HTML, location: '/api/' });
    assert.deepEqual(await get(through(), `/${'x'.repeat(40_000)}`), { status: 414, ...EDGE_HTML });
    assert.deepEqual(await get(through(), '/', { headers: { host: 'a b' } }), { status: 400, ...EDGE_HTML });
    const large = { method: 'POST', headers: { 'content-length': String(2 ** 20) } };
    assert.deepEqual(await get(through(), '/api/v1/guests', large), { status: 413, ...EDGE_PROBLEM });
    let limited: Awaited<ReturnType<typeof get>> | undefined;
    for (let n = 0; n <= HANDSHAKE_BURST + 1 && limited?.status !== 429; n++)
      limited = await get(through(), '/socket.io/?EIO=4&transport=polling', from('192.0.2.1'));
    assert.deepEqual(limited, { status: 429, ...EDGE_PROBLEM, 'retry-after': '1' });
  });
});

describe('an app with an origin of its own', () => {
  const places = () => [around(), through()];
  const transports = { polling: 200, websocket: 101 } as const;

  test('connects by both transports if its origin is listed', async () => {
    for (const url of places())
      for (const [transport, status] of Object.entries(transports) as Array<[keyof typeof transports, number]>) {
        for (const origin of APPS) {
          const answer = await handshake(url, { transport, origin });
          assert.equal(answer.status, status, `${transport} from ${origin}`);
          if (transport === 'polling') assert.equal(answer.headers['access-control-allow-origin'], origin);
        }
        for (const origin of STRANGERS) {
          const answer = await handshake(url, { transport, origin });
          assert.equal(answer.status, 403, `${transport} from ${origin}`);
          assert.equal(answer.headers['access-control-allow-origin'], undefined);
        }
      }
  });

  test('may call the HTTP API and read the answers if its origin is listed', async () => {
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
    for (const url of places()) {
      const call = (method: string, origin: string, headers = {}) =>
        rawRequest(url, { path: '/api/v1/rooms', method, headers: { ...headers, origin } });
      for (const origin of APPS) {
        const asked = await call('OPTIONS', origin, preflight);
        assert.equal(asked.status, 204, origin);
        assert.equal(asked.headers['access-control-allow-origin'], origin);
        assert.match(String(asked.headers['access-control-allow-headers']), /Authorization/);
        assert.match(String(asked.headers['access-control-allow-methods']), /POST/);
        // Tokens are not cookies.
        assert.equal(asked.headers['access-control-allow-credentials'], undefined);
        const read = await call('GET', origin, asMina());
        assert.deepEqual([read.status, read.headers.vary], [200, 'Origin'], origin);
        assert.equal(read.headers['access-control-allow-origin'], origin);
      }
      for (const origin of STRANGERS)
        for (const answer of [await call('OPTIONS', origin, preflight), await call('GET', origin, asMina())]) {
          assert.equal(answer.status, 403, origin);
          assert.equal(answer.headers['access-control-allow-origin'], undefined, origin);
        }
    }
  });
});

describe('the address of a client', () => {
  /** The number of these concurrent guest sign-ins that exceeded the limit of one address. */
  const limitedOf = async (url: string, chains: Array<string | undefined>, localAddress?: string): Promise<number> => {
    const answers = await Promise.all(
      chains.map((chain, n) =>
        rawRequest(url, {
          path: '/api/v1/guests',
          method: 'POST',
          body: '{"name":"Mina"}',
          ...(localAddress === undefined ? {} : { localAddress }),
          headers: {
            'content-type': 'application/json',
            'x-real-ip': `198.51.100.${n}`,
            forwarded: `for=198.51.100.${n}`,
            ...(chain === undefined ? {} : { 'x-forwarded-for': chain }),
          },
        }),
      ),
    );
    for (const { status } of answers) assert.ok(status === 201 || status === 429, String(status));
    return answers.filter(({ status }) => status === 429).length;
  };
  const CALLS = Array.from({ length: ADDRESS_BURST + 5 }, (_, n) => n);
  const oneClient = (chainOf: (n: number) => string | undefined, url = around(), localAddress?: string) =>
    limitedOf(url, CALLS.map(chainOf), localAddress).then((limited) => assert.ok(limited > 0, 'several addresses'));
  const manyClients = (chainOf: (n: number) => string, url = around()) =>
    limitedOf(url, CALLS.map(chainOf)).then((limited) => assert.equal(limited, 0, 'one address'));

  test('is the one before the trusted hops, whatever the client prepends', async () => {
    await oneClient((n) => `203.0.113.${n}, 9.9.0.1`);
    await manyClients((n) => `203.0.113.1, 9.9.1.${n}`);
    await oneClient((n) => `203.0.113.${n}, 9.9.0.2, 10.1.0.5`);
    await manyClients((n) => `203.0.113.1, 9.9.2.${n}, 10.1.0.${n}`);
    // Also if the client claims to be a trusted hop.
    await oneClient((n) => `203.0.113.${n}, 10.1.0.5, 9.9.0.3, 10.1.0.6`);
  });

  test('is the peer itself if no trusted hop forwards', async () => {
    await oneClient((n) => `203.0.113.${n}`, around(), '127.0.0.2');
    await oneClient((n) => `203.0.113.${n}, 10.1.0.5`, around(), '127.0.0.3');
    await oneClient(() => undefined, around(), '127.0.0.4');
  });

  test('is passed on by nginx as nginx determines it, behind its own trusted proxies', async () => {
    await oneClient((n) => `203.0.113.${n}`, through(), '127.0.0.5');
    await oneClient((n) => `203.0.113.${n}, 9.9.0.4, 10.2.0.5`, through());
    await manyClients((n) => `203.0.113.1, 9.9.3.${n}, 10.2.0.5`, through());
    // nginx does not treat a hop as trusted that only the gateway trusts.
    await oneClient((n) => `203.0.113.${n}, 10.1.0.7`, through());
  });
});

test('without a gateway, nginx answers with its headers', async () => {
  await site.gateways[0]?.end('SIGKILL');
  const unavailable = { status: 503, ...EDGE_PROBLEM, 'retry-after': '1' };
  assert.deepEqual(await get(through(), '/api/v1/rooms'), unavailable);
  const answer = await get(through(), '/socket.io/?EIO=4&transport=polling', from('192.0.2.2'));
  assert.deepEqual(answer, unavailable);
});
