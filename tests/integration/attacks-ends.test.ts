/**
 * Connections that end early, never begin, or ignore their end leave nothing behind and delay no
 * others.
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

/** Maximum of half-open transports. */
const HALF_OPEN_MAX = 2_000;
/**
 * The maximum time of a stop that waits for no peer. If it waits for a frozen peer, it exits with 1
 * after 8 s.
 */
const STOP_MS_MAX = 5_000;
/** A user disappears after this grace period. The lease of a silent node lasts much longer. */
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
  test('during the reads of its resume keeps no room open and leaves no ghost user', async () => {
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
        // The answers arrive now, but the connection has already ended.
        await cluster.redis.kill('SIGCONT');
      }
      await poll('the store to be back', async () => (await gateway.metric('maru_store_degraded')) === 0);
      await nothingLeft(gateway);
    }
    // A present user, so that an empty list is meaningful.
    const here = await connect(gateway.url, { token: tokenOf('here') });
    for (const room of rooms) await here.ok('room:join', { room });
    for (const room of rooms) await poll('a connected user is counted', async () => (await onlineIn(room)) === 1);
    here.close();
    for (const room of rooms) await poll('nobody to be there', async () => (await onlineIn(room)) === 0);
  });

  test('while it starts to watch rooms leaves no watch behind', async () => {
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
      // The check of its rights in the rooms is answered only now.
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

describe('silent transports', () => {
  test('do not keep clients out: the oldest one is closed', async () => {
    const open50 = () => Promise.all(Array.from({ length: 50 }, () => RawSocket.open(gateway.url)));
    const oldest = await open50();
    // The others only count, so they are cheap polling transports, opened in portions. All must be
    // open before the first one is closed for its silence.
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
    // Check immediately, because later all of them would be closed for their silence.
    await poll('one of the oldest to be gone', () => oldest.some((raw) => raw.closed), { timeoutMs: 3_000 });
    assert.equal(youngest.filter((raw) => raw.closed).length, 0);
    for (const raw of [...oldest, ...youngest]) raw.close();
  });
});

// These stop the first gateway, so they come last.
describe('a gateway', () => {
  test('that is draining refuses new handshakes, for any spelling of their query', async () => {
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

  test('that is interrupted does not wait for a frozen peer, and reports its end to presence', async () => {
    const room = newRoom();
    const frozen = await connect(other.url, { token: tokenOf('frozen') });
    for (const client of [witness, frozen]) await client.ok('room:join', { room });
    // Ask the presence service itself, because no gateway is left.
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
