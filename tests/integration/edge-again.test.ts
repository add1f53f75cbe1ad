/**
 * How nginx handles a request after its gateways failed: it starts the request once more, if that
 * is allowed.
 */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { findFreePort } from '@maru/service-kit/testing';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { rawRequest } from '../support/raw.ts';

const ACCEPTED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const TAKEN = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken';
const WEBSOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};

/** A gateway that closes the first connections after their request, like a killed one. */
let failures = 0;
let requests: string[] = [];
const gateway: Server = createServer((socket: Socket) => {
  socket.on('error', () => {});
  socket.once('data', (data) => {
    requests.push(data.toString().split(' ', 2).join(' '));
    if (failures-- > 0) socket.destroy();
    else socket.end(/upgrade: websocket/i.test(data.toString()) ? ACCEPTED : TAKEN);
  });
});
let edge: Nginx;
/** An nginx whose only gateway does not listen. */
let lonely: Nginx;

before(async () => {
  const port = await findFreePort();
  await new Promise<void>((resolve) => gateway.listen(port, '127.0.0.1', resolve));
  edge = await startNginx({ gatewayPorts: [port] });
  lonely = await startNginx({ gatewayPorts: [await findFreePort()] });
});
beforeEach(() => {
  requests = [];
});
after(async () => {
  await edge?.stop();
  await lonely?.stop();
  gateway.close();
});

const idempotent = [
  { name: 'a long-polling handshake', path: '/socket.io/?EIO=4&transport=polling', status: 200 },
  { name: 'a WebSocket', path: '/socket.io/?EIO=4&transport=websocket', headers: WEBSOCKET, status: 101 },
  { name: 'a poll of a session', path: '/socket.io/?EIO=4&transport=polling&sid=gateway-1.x', status: 200 },
  { name: 'a GET of the API', path: '/api/v1/rooms', status: 200 },
];
for (const { name, status, ...request } of idempotent)
  test(`${name} is started again after all gateways failed, once`, async () => {
    failures = 1;
    assert.equal((await rawRequest(edge.url, request)).status, status);
    assert.equal(requests.length, 2);
    failures = 5;
    const { status: failed, body } = await rawRequest(edge.url, request);
    assert.equal(failed, 503);
    assert.equal(JSON.parse(body).code, 'unavailable');
    assert.equal(requests.length, 4);
    failures = 0;
  });

test('a POST that reached a gateway is not sent again', async () => {
  for (const path of ['/api/v1/guests', '/socket.io/?EIO=4&transport=polling&sid=gateway-1.x']) {
    requests = [];
    failures = 1;
    const { status, body } = await rawRequest(edge.url, { path, method: 'POST', body: '{}' });
    assert.equal(status, 503, path);
    assert.equal(JSON.parse(body).code, 'unavailable');
    assert.deepEqual(requests, [`POST ${path}`]);
  }
});

test('without a gateway, every request is answered 503', async () => {
  for (const { name, status: _, ...request } of [
    ...idempotent,
    { name: 'a POST', path: '/api/v1/guests', method: 'POST', body: '{}', status: 503 },
  ]) {
    const { status, body } = await rawRequest(lonely.url, request);
    assert.equal(status, 503, name);
    assert.equal(JSON.parse(body).code, 'unavailable');
  }
});
