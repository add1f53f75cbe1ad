/** Refused upgrades leave no resources behind, and their clients cannot disturb others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { changeWait } from './testing/change-wait.ts';
import { type EdgeRig, openEdgeRig } from './testing/edge-rig.ts';
import { upgradeRequest } from './testing/upgrade-request.ts';

let rig: EdgeRig;
let httpServer: Server;
const open = new Set<Socket>();

before(async () => {
  rig = await openEdgeRig();
  httpServer = rig.httpServer;
  httpServer.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
});
after(() => rig.close());

const kinds = {
  'a foreign page': { path: '/socket.io/?EIO=4&transport=websocket', origin: 'http://elsewhere.example', status: 403 },
  'another path': { path: '/elsewhere', origin: 'http://localhost', status: 404 },
};
/** What clients do right after their request. */
const ends: Record<string, (client: Socket) => void> = {
  'keeps its side open': () => {},
  'says more once it is answered': (client) => client.once('data', () => client.end('more')),
  'closes at once': (client) => client.end(),
  'resets the connection': (client) => client.resetAndDestroy(),
};
for (const [kind, { path, origin, status }] of Object.entries(kinds)) {
  describe(`an upgrade of ${kind}`, () => {
    for (const [name, end] of Object.entries(ends)) {
      test(`whose client ${name}`, async (t) => {
        // It ends without the deadline.
        changeWait(t, 5_000, 60_000);
        const { port } = rig;
        const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        client.on('error', () => {});
        await once(client, 'connect');
        await poll('the connection', () => open.size === 1);
        let answer = '';
        client.on('data', (chunk) => {
          answer += chunk;
        });
        client.write(upgradeRequest({ path, origin }));
        end(client);
        await poll('its end', () => open.size === 0);
        if (!client.destroyed) await poll('the answer', () => answer.startsWith(`HTTP/1.1 ${status} `));
        client.destroy();
      });
    }
  });
}
test('a refused upgrade behind an unread answer is dropped after a few seconds', async (t) => {
  httpServer.prependOnceListener('request', (_, response) => response.end('x'.repeat(20_000_000)));
  const client = connect(rig.port, '127.0.0.1');
  client.on('error', () => {});
  client.pause();
  client.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await poll('the answer to wait', () => [...open].some(({ writableLength }) => writableLength > 1_000_000));
  const [socket] = open as Set<Socket & { writableLength: number }>;
  const upgraded = once(httpServer, 'upgrade');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  client.write(upgradeRequest({ path: '/elsewhere' }));
  await upgraded;
  t.mock.timers.tick(4_999);
  assert.equal(socket?.destroyed, false);
  t.mock.timers.tick(1);
  assert.equal(socket?.destroyed, true);
  t.mock.timers.reset();
  client.destroy();
});

test('refused origins are counted', () => assert.deepEqual([...new Set(rig.refused)], ['origin']));

for (const limit of ['node_connections', 'node_memory'] as const)
  test(`at its limit (${limit}) a node answers new handshakes 503, and keeps those that it has`, async () => {
    rig.refused.length = 0;
    const url = `http://127.0.0.1:${rig.port}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
    rig.limit = limit;
    const refused = await fetch(url);
    const problem = (await refused.json()) as Record<string, unknown>;
    assert.deepEqual([refused.status, problem.code, problem.retryable], [503, 'unavailable', true]);
    assert.equal((await fetch(`${url}&sid=${sid}`, { method: 'POST', body: '1' })).status, 200);
    assert.deepEqual(rig.refused, [limit]);
    rig.limit = undefined;
    assert.equal((await fetch(url)).status, 200);
  });
