/** Pings of a real Engine.IO server by a clock that the test moves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { poll } from '@maru/service-kit/testing';
import { Server } from 'engine.io';
import { Heartbeats, type PingingServer } from './heartbeats.ts';

const INTERVAL_MS = 25_000;
/** A beat. */
const LATE_MS_MAX = 500;
const PATIENCE_MS = 300;

describe('a ping', () => {
  const httpServer = createServer();
  const server = new Server({ pingInterval: INTERVAL_MS, pingTimeout: PATIENCE_MS });
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
  // Somewhere between two beats, and nobody is left of the test before.
  beforeEach(async () => {
    await poll('the others to be gone', () => server.clientsCount === 0);
    nowMs += 100_123;
    heartbeats.run();
  });

  const pass = (ms: number) => {
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
      const heard = once(connection, 'heartbeat');
      socket.send('3');
      await heard;
    };
    return { socket, connection, answer, pings: () => pings, ended: () => ended };
  }

  test('comes after the interval, at the next beat, and again after its answer', async () => {
    const client = await connect();
    for (let round = 1; round <= 3; round++) {
      // Neither before its time, nor at that time where it was heard of meanwhile.
      for (const ms of [INTERVAL_MS - 1, LATE_MS_MAX]) {
        pass(ms);
        // A ping that was written all the same would be one too many below.
        await client.answer();
        assert.equal(client.pings(), round - 1);
      }
      pass(INTERVAL_MS + LATE_MS_MAX);
      await poll('a ping', () => client.pings() === round);
      await client.answer();
    }
    client.socket.close();
  });

  test('that is not answered ends the connection, and is not sent again', async () => {
    const client = await connect();
    pass(INTERVAL_MS + LATE_MS_MAX);
    await poll('a ping', () => client.pings() === 1);
    pass(INTERVAL_MS + LATE_MS_MAX);
    const [reason] = await once(client.connection, 'close');
    assert.equal(reason, 'ping timeout');
    assert.equal(client.pings(), 1);
    await poll('the end', client.ended);
  });

  test('comes once, however often somebody answers', async () => {
    const client = await connect();
    for (let n = 0; n < 50; n++) await client.answer();
    pass(INTERVAL_MS + LATE_MS_MAX);
    await poll('a ping', () => client.pings() === 1);
    await client.answer();
    // All that was written by then has come.
    client.connection.send('last');
    await once(client.socket, 'message');
    assert.equal(client.pings(), 1);
    client.socket.close();
  });

  test('comes to all at once when the node has slept through its time, in several turns', async () => {
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
    pass(10 * INTERVAL_MS);
    for (const { pings } of clients) await poll('a ping', () => pings() === 1);
    clearImmediate(counting);
    assert.equal(turns.length, clients.length);
    assert.equal(turns.filter((at) => at === turns[0]).length, 32);
    for (const { socket } of clients) socket.close();
  });

  test('that fails keeps no other from being pinged', async () => {
    const [first, second] = [await connect(), await connect()];
    first.connection.resetPingTimeout = () => {
      throw new Error('a fault');
    };
    assert.throws(() => pass(INTERVAL_MS + LATE_MS_MAX), /a fault/);
    pass(LATE_MS_MAX);
    await poll('a ping', () => second.pings() === 1);
    for (const { socket } of [first, second]) socket.close();
  });

  test('reaches one who polls', async () => {
    const opened = await (await fetch(`http://${url}polling`)).text();
    const { sid } = JSON.parse(opened.slice(1));
    const waiting = fetch(`http://${url}polling&sid=${sid}`);
    await poll(
      'the poll',
      () =>
        (server as unknown as { clients: Record<string, { transport: { writable: boolean } }> }).clients[sid]?.transport
          .writable === true,
    );
    pass(INTERVAL_MS + LATE_MS_MAX);
    assert.equal(await (await waiting).text(), '2');
    await fetch(`http://${url}polling&sid=${sid}`, { method: 'POST', body: '1' });
  });
});
