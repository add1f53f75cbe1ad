/**
 * Connections that end early, never begin, or do not take their end: nothing of them stays, and
 * nobody else waits for them.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Position } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import {
  type Gateways,
  SECRET,
  type ServiceProcess,
  startGateways,
  stopReading,
  tokenOf,
  WIDE_LIMITS,
} from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { RawSocket, rawRequest } from '../support/raw.ts';
import { newId, newRoom } from '../support/tokens.ts';

/** As many transports as may be open without a session. */
const HALF_OPEN_MAX = 2_000;
/**
 * What an end may take that waits for nobody; one that waits for a frozen peer is given up after 8
 * s, with exit code 1.
 */
const STOP_MS_MAX = 5_000;
/** After its grace a user is gone; a node that says nothing is believed for much longer. */
const LEAVE_GRACE_MS = 500;
const LEASE_MS = 60_000;

let cluster: Gateways;
let gateway: ServiceProcess;
let other: ServiceProcess;
let witness: TestClient;

before(async () => {
  cluster = await startGateways({
    gateways: 2,
    environment: WIDE_LIMITS,
    presenceEnvironment: {
      MARU_PRESENCE_LEAVE_GRACE_MS: String(LEAVE_GRACE_MS),
      MARU_PRESENCE_LEASE_MS: String(LEASE_MS),
    },
  });
  [gateway, other] = cluster.gateways as [ServiceProcess, ServiceProcess];
  witness = await connect(other.url, { token: tokenOf('witness') });
});
after(async () => {
  witness?.close();
  await cluster?.stop();
});

const onlineIn = async (room: string): Promise<unknown> =>
  (await call(other.url, `/rooms/${room}/presence`, { token: tokenOf('witness') })).body.count;

const nothingLeft = (node: ServiceProcess) =>
  poll('nothing to be left of them', async () => {
    const names = ['maru_connections', 'maru_sessions', 'maru_rooms_open', 'maru_gateway_presence_watched_rooms'];
    const counts = await Promise.all(names.map((name) => node.metric(name)));
    return counts.every((count) => count === 0);
  });

describe('a connection that ends', () => {
  test('while the store is asked for its resume holds no room open and leaves no ghost', async () => {
    const rooms = Array.from({ length: 20 }, () => newRoom());
    const resume: Record<string, Position> = Object.fromEntries(rooms.map((room) => [room, { epoch: '1.a', seq: 0 }]));
    for (let round = 0; round < 3; round++) {
      await cluster.redis.kill('SIGSTOP');
      try {
        const raw = await RawSocket.open(gateway.url);
        raw.send(`40${JSON.stringify({ token: tokenOf(`ghost-${round}`), resume })}`);
        await poll('the session to begin', async () => (await gateway.metric('maru_sessions')) === 1, { everyMs: 5 });
        raw.close();
        await poll('it to end', async () => (await gateway.metric('maru_sessions')) === 0, { everyMs: 5 });
      } finally {
        // The answers come now, for one who is gone.
        await cluster.redis.kill('SIGCONT');
      }
      await poll('the store to be back', async () => (await gateway.metric('maru_store_degraded')) === 0);
      await nothingLeft(gateway);
    }
    // One who is really there is seen, so that seeing nobody means something.
    const here = await connect(gateway.url, { token: tokenOf('here') });
    for (const room of rooms) await here.ok('room:join', { room });
    for (const room of rooms) await poll('one who is there', async () => (await onlineIn(room)) === 1);
    here.close();
    for (const room of rooms) await poll('nobody to be there', async () => (await onlineIn(room)) === 0);
  });

  test('while its watches are made leaves none of them', async () => {
    const rooms = Array.from({ length: 50 }, () => newRoom());
    const here = await connect(gateway.url, { token: tokenOf('here') });
    for (const room of rooms) await here.ok('room:join', { room });
    const watcher = await connect(gateway.url, { token: tokenOf('watcher') });
    await cluster.redis.kill('SIGSTOP');
    try {
      for (const room of rooms) watcher.socket.emit('presence:watch', { room }, () => {});
      watcher.cut();
      await poll('it to end', async () => (await gateway.metric('maru_sessions')) === 1, { everyMs: 5 });
    } finally {
      // That it may see the rooms is known only now.
      await cluster.redis.kill('SIGCONT');
    }
    here.close();
    await nothingLeft(gateway);
  });
});

describe('a connection', () => {
  test('watches at most 200 rooms', async () => {
    const client = await connect(gateway.url, { token: tokenOf('curious') });
    const room = newRoom();
    await client.ok('room:create', { room });
    const rooms = Array.from({ length: 200 }, () => newRoom());
    await Promise.all(rooms.map((watched) => client.ok('room:join', { room: watched })));
    await Promise.all(rooms.map((watched) => client.patient('presence:watch', { room: watched })));
    await client.refused('conflict', 'presence:watch', { room });
    await client.ok('presence:watch', { room: rooms[0] as string });
    client.close();
    await nothingLeft(gateway);
  });
});

describe('transports that say nothing', () => {
  test('keep nobody else out: the oldest of them goes', async () => {
    const open50 = () => Promise.all(Array.from({ length: 50 }, () => RawSocket.open(gateway.url)));
    const oldest = await open50();
    // Those between them only hold a place, so they are of the cheaper kind, and in portions: all
    // have to be there before the first is closed for its silence.
    for (let opened = 100; opened < HALF_OPEN_MAX; opened += 50) {
      const path = '/socket.io/?EIO=4&transport=polling';
      await Promise.all(Array.from({ length: 50 }, () => rawRequest(gateway.url, { path })));
    }
    const youngest = await open50();
    assert([...oldest, ...youngest].every((raw) => !raw.closed));
    for (const transports of [['websocket'], ['polling']] as const) {
      const client = await connect(gateway.url, { token: tokenOf('newcomer'), transports: [...transports] });
      await client.ok('message:send', { room: newRoom(), clientMsgId: newId(), text: 'in' }).catch(() => {});
      assert.deepEqual(client.disconnects, []);
      client.close();
    }
    // At once: in the end all would be closed for their silence.
    await poll('one of the oldest to be gone', () => oldest.some((raw) => raw.closed), { timeoutMs: 3_000 });
    assert.equal(youngest.filter((raw) => raw.closed).length, 0);
    for (const raw of [...oldest, ...youngest]) raw.close();
  });
});

// These end the first gateway, so they come last.
describe('a gateway', () => {
  test('that leaves takes no new handshake, however its query spells that it is one', async () => {
    const staying = await connect(gateway.url, { token: tokenOf('staying') });
    gateway.child.kill('SIGTERM');
    const status = async (query: string) =>
      (await rawRequest(gateway.url, { path: `/socket.io/?EIO=4&transport=polling${query}` })).status;
    await poll('handshakes to be refused', async () => (await status('')) === 503);
    for (const query of ['&sid=', '&sid', '&sid[]=x', '&SID=x']) assert.equal(await status(query), 503, query);
    await staying.event<{ code: string }>('notice', ({ code }) => code === 'draining');
    staying.close();
    await poll('its end', () => !gateway.alive);
    assert.equal(gateway.child.exitCode, 0, gateway.output());
  });

  test('that is interrupted waits for no frozen peer, and says goodbye to presence', async () => {
    const room = newRoom();
    const frozen = await connect(other.url, { token: tokenOf('frozen') });
    for (const client of [witness, frozen]) await client.ok('room:join', { room });
    // The service is asked itself: there is no gateway left that could be.
    const online = async () => {
      const headers = { authorization: `Bearer ${SECRET}` };
      const answer = await fetch(`${cluster.presence.url}/v1/rooms/${room}`, { headers });
      return ((await answer.json()) as { count: number }).count;
    };
    await poll('both to be there', async () => (await online()) === 2);
    const readAgain = stopReading(frozen);
    const startedAt = performance.now();
    const code = await other.end('SIGINT');
    const tookMs = performance.now() - startedAt;
    readAgain();
    frozen.close();
    assert.equal(code, 0, other.output());
    assert(tookMs < STOP_MS_MAX, `it took ${Math.round(tookMs)} ms`);
    await poll('nobody to be there', async () => (await online()) === 0);
  });
});
