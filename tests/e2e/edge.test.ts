import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { handshake, rawRequest } from '../support/raw.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest } from '../support/tokens.ts';

const cluster = await sharedCluster();

describe('health and metrics', () => {
  const paths = ['/metrics', '/healthz', '/readyz'];

  test('are 404 at the public address for every spelling of the path', async () => {
    const tricks = (path: string) => [
      path,
      `${path}/`,
      `/${path}`,
      `${path}?x=1`,
      `/.${path}`,
      `/x/..${path}`,
      `/api/..${path}`,
      `/api/v1/..${path}`,
      `/api/v1/../..${path}`,
      `/socket.io/..${path}`,
      `/socket.io/%2e%2e${path}`,
      `/api/%2e%2e${path}`,
      `/api/..%2f${path.slice(1)}`,
      path.replace(/^\/(.)/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
      path.toUpperCase(),
      `/api/v1${path}`,
      `/socket.io${path}`,
    ];
    for (const path of paths.flatMap(tricks)) {
      const { status, body } = await rawRequest(cluster.endpoint, { path });
      assert([400, 404].includes(status), `${path}: ${status}`);
      assert.doesNotMatch(body, /# TYPE|process_cpu/, path);
    }
    for (const path of paths) {
      assert.equal((await rawRequest(cluster.endpoint, { path })).status, 404);
      assert.equal((await rawRequest(cluster.endpoint, { path, method: 'POST' })).status, 404);
    }
  });

  test("are 404 at a gateway's public port", async () => {
    for (const { address } of await cluster.gateways())
      for (const path of paths) assert.equal((await rawRequest(address, { path })).status, 404);
  });

  test('answer at the ops address of every gateway and presence process', async () => {
    const { processes } = await cluster.status();
    const services = processes.filter(({ kind }) => kind === 'gateway' || kind === 'presence');
    assert.deepEqual(services.map(({ kind }) => kind).sort(), ['gateway', 'gateway', 'presence']);
    for (const { ops, name } of services) {
      assert(ops !== null);
      for (const path of paths) assert.equal((await fetch(ops + path)).status, 200, `${name} ${path}`);
      assert.match(await (await fetch(`${ops}/metrics`)).text(), /^# TYPE process_cpu_seconds_total counter$/m);
      assert.equal((await fetch(`${ops}/nope`)).status, 404);
    }
  });

  test('have no label that contains a user, room or token', async () => {
    const { endpoint } = cluster;
    const guest = await createGuest(endpoint, 'Labelled');
    await fetch(`${endpoint}/api/v1/rooms/labelled-room/messages`, {
      headers: { authorization: `Bearer ${guest.token}` },
    });
    for (const { ops } of await cluster.gateways()) {
      const text = await (await fetch(`${ops}/metrics`)).text();
      assert.doesNotMatch(text, /guest-|labelled|eyJ/);
    }
  });
});

describe('the web page', () => {
  test('is served at / under a strict Content-Security-Policy', async () => {
    const response = await fetch(`${cluster.endpoint}/`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'|default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const html = await response.text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)[^>]*>/, 'the page must have no inline script');
    const scripts = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');
    assert(scripts.length > 0);
    for (const script of scripts) {
      const asset = await fetch(cluster.endpoint + script);
      assert.equal(asset.status, 200, script);
      assert.equal(asset.headers.get('x-content-type-options'), 'nosniff', script);
    }
  });

  test('is not served for paths that do not exist', async () => {
    for (const path of [
      '/nope',
      '/nope.js',
      '/assets/nope.js',
      '/.git/config',
      '/package.json',
      '/../package.json',
      '/assets/../../package.json',
    ]) {
      const { status } = await rawRequest(cluster.endpoint, { path });
      assert([400, 404].includes(status), `${path}: ${status}`);
    }
  });
});

describe('a request with an Origin', () => {
  const transports = ['polling', 'websocket'] as const;
  const accepted = { polling: 200, websocket: 101 };

  test('is accepted when Origin is absent or matches Host', async () => {
    const gateways = await cluster.gateways();
    for (const address of [cluster.endpoint, ...gateways.map((gateway) => gateway.address)]) {
      const { host, port } = new URL(address);
      for (const transport of transports) {
        const same: Array<{ origin?: string; host?: string }> = [
          {},
          { origin: `http://${host}` },
          { origin: `http://localhost:${port}`, host: `localhost:${port}` },
          { origin: 'http://chat.example', host: 'chat.example' },
        ];
        for (const headers of same) {
          const { status } = await handshake(address, { transport, ...headers });
          assert.equal(status, accepted[transport], `${transport} ${JSON.stringify(headers)} at ${address}`);
        }
      }
    }
  });

  test('is refused before the upgrade when Origin differs from Host, on both transports', async () => {
    const [gateway] = await cluster.gateways();
    for (const address of [cluster.endpoint, gateway?.address ?? '']) {
      const { host, hostname, port } = new URL(address);
      const foreign = [
        'http://evil.example',
        'https://evil.example',
        'null',
        'file://',
        'evil.example',
        host,
        `http://${host}.evil.example`,
        `http://evil${host}`,
        `http://evil.${host}`,
        `http://${hostname}`,
        `http://${hostname}:${Number(port) - 1}`,
        `http://${hostname}:${port}0`,
        `http://localhost:${port}`,
        `http://${host}@evil.example`,
        `http://evil.example/http://${host}`,
        `http://evil.example#${host}`,
        `http://${host}, http://evil.example`,
        'chrome-extension://abcdef',
        '*',
      ];
      for (const origin of foreign)
        for (const transport of transports) {
          const { status, headers } = await handshake(address, { transport, origin });
          assert([400, 403].includes(status), `${transport} from ${origin} at ${address}: ${status}`);
          assert.equal(headers['access-control-allow-origin'], undefined);
        }
    }
  });

  test('is refused with the reason, also if a proxy rewrites Host', async () => {
    const [gateway] = await cluster.gateways();
    for (const address of [cluster.endpoint, gateway?.address ?? ''])
      for (const transport of transports)
        for (const request of [{ origin: 'https://evil.example' }, { origin: 'https://chat.example', host: 'inner' }]) {
          const { status, body } = await handshake(address, { transport, ...request });
          const { code, retryable, detail } = JSON.parse(body) as Record<string, unknown>;
          assert.deepEqual([status, code, retryable], [403, 'forbidden', false]);
          assert.match(String(detail), /origin/);
        }
  });

  test('from another site gets no CORS permission on the HTTP API', async () => {
    const { endpoint } = cluster;
    for (const origin of ['http://evil.example', 'null']) {
      const preflight = await rawRequest(endpoint, {
        path: '/api/v1/guests',
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      assert.equal(preflight.headers['access-control-allow-origin'], undefined);
      const read = await rawRequest(endpoint, { path: '/api/v1/rooms', headers: { origin } });
      assert.equal(read.headers['access-control-allow-origin'], undefined);
    }
  });
});
