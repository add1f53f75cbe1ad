/** The crowd against a server of this test's own, which plants faults on request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { sleep } from '@maru/service-kit/testing';
import { Crowd } from './crowd.ts';
import { serverFrame } from './frames.ts';
import type { Verdict } from './ledger.ts';

const CLIENTS = 6;

/** How often the `count`th delivery is written: once, unless a fault is planted. */
type Copies = (count: number) => number;

/** Speaks as much of the wire format as the crowd does, and relays every message to all. */
async function startServer(copies: Copies) {
  const members = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    let greeted = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      if (!greeted) {
        greeted = true;
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

/** Runs `work` with a crowd that is in its room. */
async function withCrowd<T>(copies: Copies, work: (crowd: Crowd) => Promise<T>): Promise<T> {
  const server = await startServer(copies);
  const crowd = new Crowd({
    endpoints: [{ host: '127.0.0.1', port: server.port }],
    clients: CLIENTS,
    rooms: 1,
    secret: 'a-secret-for-tests-only-0123456789abcdef',
    textBytes: 40,
    canResume: false,
  });
  try {
    await crowd.connect(0, CLIENTS, 3, false);
    return await work(crowd);
  } finally {
    crowd.close(0, CLIENTS, true);
    server.close();
  }
}

const chat = (copies: Copies): Promise<{ verdict: Verdict; deliveries: number }> =>
  withCrowd(copies, async (crowd) => {
    crowd.open();
    crowd.send(200, 4, CLIENTS);
    await sleep(300);
    const verdict = await crowd.settle(300);
    crowd.shut();
    return { verdict, deliveries: crowd.figures().deliveries };
  });

test('every delivery is counted, to each client', async () => {
  const { verdict, deliveries } = await chat(() => 1);
  assert(verdict.expected > 0);
  assert.equal(verdict.expected % CLIENTS, 0);
  assert.deepEqual(verdict, {
    expected: verdict.expected,
    received: verdict.expected,
    missing: 0,
    doubled: 0,
    strays: 0,
    unacknowledged: 0,
    lostConnections: 0,
  });
  assert.equal(deliveries, verdict.expected);
});

test('one delivery that is lost is missed', async () => {
  const { verdict } = await chat((count) => (count === 7 ? 0 : 1));
  assert.equal(verdict.missing, 1);
});

test('one delivery that comes twice is seen', async () => {
  const { verdict } = await chat((count) => (count === 7 ? 2 : 1));
  assert.deepEqual([verdict.doubled, verdict.missing], [1, 0]);
});

test('figures are of what was sent while a window was open, all windows together', () =>
  withCrowd(
    () => 1,
    async (crowd) => {
      const sent: number[] = [];
      for (const open of [false, true, false, true]) {
        if (open) crowd.open();
        crowd.send(200, 4, CLIENTS);
        await sleep(100);
        const { expected } = await crowd.settle(300);
        if (open) crowd.shut();
        sent.push(expected);
      }
      const [first = 0, second = 0, third = 0, fourth = 0] = sent;
      const { deliveries, deliveryUs, joins } = crowd.figures();
      assert.equal(deliveries, second - first + fourth - third);
      assert.equal(deliveryUs.count, deliveries);
      assert.equal(joins.joinUs.count, 0, 'all joined before');
    },
  ));
