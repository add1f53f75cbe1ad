/** Pings of a real Engine.IO server, with a clock that the test controls. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { Server } from 'engine.io';
import { Heartbeats, type PingingServer } from './heartbeats.ts';

const INTERVAL_MS = 25_000;
/** One period of the heartbeats. */
const LATE_MS_MAX = 500;
const PING_TIMEOUT_MS = 300;

const httpServer = createServer();
const server = new Server({ pingInterval: INTERVAL_MS, pingTimeout: PING_TIMEOUT_MS });
let nowMs = 0;
let heartbeats: Heartbeats;
let url = '';

before(async () => {
  server.attach(httpServer);
  heartbeats = new Heartbeats(server as unknown as PingingServer, () => nowMs);
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  url = `127.0.0.1:${(httpServer.address() as AddressInfo).port}/engine.io/?EIO=4&transport=`;
});
after(() => {
  server.close();
  httpServer.close();
  httpServer.closeAllConnections();
});
// Start between two periods, after the connections of the previous test are gone.
beforeEach(async () => {
  await poll('the earlier connections to end', () => server.clientsCount === 0);
  nowMs += 100_123;
  heartbeats.run();
});

const advance = (ms: number) => {
  nowMs += ms;
  heartbeats.run();
};

async function connect() {
  const connected = once(server, 'connection');
  const socket = new WebSocket(`ws://${url}websocket`);
  let pings = 0;
  let ended = false;
  socket.addEventListener('message', ({ data }) => {
    if (data === '2') pings++;
  });
  socket.addEventListener('close', () => {
    ended = true;
  });
  await once(socket, 'open');
  const [connection] = await connected;
  const answer = async () => {
    const received = once(connection, 'heartbeat');
    socket.send('3');
    await received;
  };
  return { socket, connection, answer, pings: () => pings, ended: () => ended };
}

test('a ping comes after the interval, in the next period, and again after its pong', async () => {
  const client = await connect();
  for (let round = 1; round <= 3; round++) {
    // No ping before it is due, nor when it is due if the client has answered since.
    for (const ms of [INTERVAL_MS - 1, LATE_MS_MAX]) {
      advance(ms);
      // A wrong ping here would be one too many below.
      await client.answer();
      assert.equal(client.pings(), round - 1);
    }
    advance(INTERVAL_MS + LATE_MS_MAX);
    await poll('a ping', () => client.pings() === round);
    await client.answer();
  }
  client.socket.close();
});

test('a ping without a pong ends the connection and is not repeated', async () => {
  const client = await connect();
  advance(INTERVAL_MS + LATE_MS_MAX);
  await poll('a ping', () => client.pings() === 1);
  advance(INTERVAL_MS + LATE_MS_MAX);
  const [reason] = await once(client.connection, 'close');
  assert.equal(reason, 'ping timeout');
  assert.equal(client.pings(), 1);
  await poll('the end', client.ended);
});

test('a ping comes once, even after many pongs', async () => {
  const client = await connect();
  for (let n = 0; n < 50; n++) await client.answer();
  advance(INTERVAL_MS + LATE_MS_MAX);
  await poll('a ping', () => client.pings() === 1);
  await client.answer();
  // Everything written before has arrived.
  client.connection.send('last');
  await once(client.socket, 'message');
  assert.equal(client.pings(), 1);
  client.socket.close();
});

test('after a pause of the process all connections are pinged, in several turns', async () => {
  const clients: Array<Awaited<ReturnType<typeof connect>>> = [];
  for (let n = 0; n < 40; n++) clients.push(await connect());
  const turns: number[] = [];
  let turn = 0;
  const count = () => {
    turn++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  for (const { connection } of clients) {
    const { resetPingTimeout } = connection;
    connection.resetPingTimeout = () => {
      turns.push(turn);
      resetPingTimeout.call(connection);
    };
  }
  advance(10 * INTERVAL_MS);
  for (const { pings } of clients) await poll('a ping', () => pings() === 1);
  clearImmediate(counting);
  assert.equal(turns.length, clients.length);
  assert.equal(turns.filter((at) => at === turns[0]).length, 32);
  for (const { socket } of clients) socket.close();
});

test('one failing ping does not block the others', async () => {
  const [first, second] = [await connect(), await connect()];
  first.connection.resetPingTimeout = () => {
    throw new Error('a fault');
  };
  assert.throws(() => advance(INTERVAL_MS + LATE_MS_MAX), /a fault/);
  advance(LATE_MS_MAX);
  await poll('a ping', () => second.pings() === 1);
  for (const { socket } of [first, second]) socket.close();
});

test('a ping reaches a polling client', async () => {
  const opened = await (await fetch(`http://${url}polling`)).text();
  const { sid } = JSON.parse(opened.slice(1));
  const waiting = fetch(`http://${url}polling&sid=${sid}`);
  await poll(
    'the poll',
    () =>
      (server as unknown as { clients: Record<string, { transport: { writable: boolean } }> }).clients[sid]?.transport
        .writable === true,
  );
  advance(INTERVAL_MS + LATE_MS_MAX);
  assert.equal(await (await waiting).text(), '2');
  await fetch(`http://${url}polling&sid=${sid}`, { method: 'POST', body: '1' });
});
