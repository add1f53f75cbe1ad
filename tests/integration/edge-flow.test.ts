/** An answer of the API flows through nginx no faster than its client reads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Nginx, startNginx } from '../support/nginx.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const CHUNKS = 1_024;
/** Buffers of nginx and of both connections: measured 12 MiB, of 64 MiB. */
const HELD_BYTES_MAX = 32 * 2 ** 20;

let gateway: Server;
let nginx: Nginx;
/** What the gateway has handed to its connection. */
let sentBytes = 0;
function* chunks() {
  for (let i = 0; i < CHUNKS; i++) {
    sentBytes += CHUNK.length;
    yield CHUNK;
  }
}
before(async () => {
  gateway = createServer((_request, response) => void Readable.from(chunks()).pipe(response));
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  nginx = await startNginx({ gatewayPorts: [(gateway.address() as AddressInfo).port] });
});
after(async () => {
  await nginx.stop();
  gateway.close();
  gateway.closeAllConnections();
});

/** Until nothing more is sent. */
async function untilStill(): Promise<void> {
  for (let before = -1; before !== sentBytes; ) {
    before = sentBytes;
    await sleep(500);
  }
}

test('an export waits for its client, and nginx keeps no part of it on disk', async () => {
  const { hostname, port } = new URL(nginx.url);
  const client: Socket = connect(Number(port), hostname);
  client.pause();
  client.write(`GET /api/v1/me/export HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  while (sentBytes === 0) await sleep(10);
  await untilStill();
  assert.ok(sentBytes < HELD_BYTES_MAX, `${sentBytes} bytes were taken for a client that reads nothing`);
  let received = 0;
  client.on('data', (data) => {
    received += data.length;
  });
  client.resume();
  await once(client, 'close');
  assert.ok(received > CHUNKS * CHUNK.length, `${received} bytes arrived`);
});
