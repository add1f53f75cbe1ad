/** The client group against a fake server that can lose or duplicate one delivery. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { sleep } from '@maru/service-kit/testing';
import { ClientGroup } from './client-group.ts';
import { serverFrame } from './frames.ts';
import type { CheckResult } from './ledger.ts';

const CLIENTS = 6;

/** How many times the fake server writes the delivery with this number; 1 without a fault. */
type Copies = (count: number) => number;

/** Answers the client's packets and sends every message to all members. */
async function startServer(copies: Copies) {
  const members = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    let upgraded = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      if (!upgraded) {
        upgraded = true;
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        socket.write(serverFrame('0{}'));
        return;
      }
      if (text.includes('40{')) socket.write(serverFrame('40{}'));
      if (text.includes('room:join')) {
        members.add(socket);
        socket.write(serverFrame('430[{"ok":true,"data":{}}]'));
      }
      for (const [, id, body] of text.matchAll(/42(\d+)\["message:send",(\{.*?\})\]/g)) {
        for (const member of members)
          for (let left = copies(++count); left > 0; left--) member.write(serverFrame(`42["message",${body}]`));
        socket.write(serverFrame(`43${id}[{"ok":true,"data":{}}]`));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Runs `work` with clients that have joined their room. */
async function withClients<T>(copies: Copies, work: (group: ClientGroup) => Promise<T>): Promise<T> {
  const server = await startServer(copies);
  const group = new ClientGroup({
    endpoints: [{ host: '127.0.0.1', port: server.port }],
    clients: CLIENTS,
    rooms: 1,
    secret: 'a-secret-for-tests-only-0123456789abcdef',
    textBytes: 40,
    canResume: false,
  });
  try {
    await group.connect(0, CLIENTS, 3, false);
    return await work(group);
  } finally {
    group.close(0, CLIENTS, true);
    server.close();
  }
}

const chat = (copies: Copies): Promise<{ result: CheckResult; deliveries: number }> =>
  withClients(copies, async (group) => {
    group.openWindow();
    group.send(200, 4, CLIENTS);
    await sleep(300);
    const result = await group.settle(300);
    group.closeWindow();
    return { result, deliveries: group.figures().deliveries };
  });

test('counts every delivery to each client', async () => {
  const { result, deliveries } = await chat(() => 1);
  assert(result.expected > 0);
  assert.equal(result.expected % CLIENTS, 0);
  assert.deepEqual(result, {
    expected: result.expected,
    received: result.expected,
    missing: 0,
    duplicated: 0,
    unexpected: 0,
    unacknowledged: 0,
    lostConnections: 0,
  });
  assert.equal(deliveries, result.expected);
});

test('detects one missing delivery', async () => {
  const { result } = await chat((count) => (count === 7 ? 0 : 1));
  assert.equal(result.missing, 1);
});

test('detects one duplicated delivery', async () => {
  const { result } = await chat((count) => (count === 7 ? 2 : 1));
  assert.deepEqual([result.duplicated, result.missing], [1, 0]);
});

test('figures sum all windows and nothing outside them', () =>
  withClients(
    () => 1,
    async (group) => {
      const sent: number[] = [];
      for (const open of [false, true, false, true]) {
        if (open) group.openWindow();
        group.send(200, 4, CLIENTS);
        await sleep(100);
        const { expected } = await group.settle(300);
        if (open) group.closeWindow();
        sent.push(expected);
      }
      const [first = 0, second = 0, third = 0, fourth = 0] = sent;
      const { deliveries, deliveryUs, joins } = group.figures();
      assert.equal(deliveries, second - first + fourth - third);
      assert.equal(deliveryUs.count, deliveries);
      assert.equal(joins.joinUs.count, 0, 'all clients joined before the first window');
    },
  ));
