/**
 * A store that hangs, or a network that drops a handshake: every answer comes in time, and
 * everything recovers by itself.
 */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';

/** The contract's second, and a margin for a busy machine. */
const ANSWER_MS_MAX = 1_500;
/**
 * A handshake without an answer fails after 2 s, and the next try follows within one second.
 */
const HEALED_MS_MAX = 8_000;

/**
 * More pages than a gateway reads concurrently, requested one after the other. So waiting reads get
 * their permit late.
 */
const READERS = 40;
const READ_EVERY_MS = 20;

/** Connections of a gateway to its store. */
const CONNECTIONS = 5;

/**
 * A proxy between the gateway and its store. It accepts connections, and forwards nothing while
 * `swallowing`.
 */
class BlackHole {
  swallowing = false;
  /** Accepted connections that it never answers. */
  swallowed = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  async open(target: number): Promise<string> {
    this.#server = createServer((socket) => {
      this.#keep(socket);
      if (this.swallowing) {
        this.swallowed++;
        return;
      }
      const upstream = this.#keep(tcpConnect(target, '127.0.0.1'));
      socket.pipe(upstream).pipe(socket);
      socket.once('close', () => upstream.destroy());
      upstream.once('close', () => socket.destroy());
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    assert(address !== null && typeof address === 'object');
    return `redis://127.0.0.1:${address.port}`;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cutAll();
    this.#server?.close();
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Errors are expected here.
    socket.on('error', () => {});
    return socket;
  }
}

const hole = new BlackHole();
let cluster: Gateways;
let gateway: ServiceProcess;
let client: TestClient;
const room = newRoom();

before(async () => {
  cluster = await startGateways({ redisUrl: (redis) => hole.open(redis.port) });
  [gateway] = cluster.gateways as [ServiceProcess];
  client = await connect(gateway.url, { token: tokenOf('client') });
  await client.ok('room:join', { room });
  await client.ok('message:send', { room, clientMsgId: newId(), text: 'the first' });
});
after(async () => {
  client?.close();
  await cluster?.stop();
  hole.close();
});

describe('while the store hangs', () => {
  test('concurrent requests of one connection are all answered in time, even if many are reads', async () => {
    const clientMsgId = newId();
    await cluster.redis.kill('SIGSTOP');
    const slowest: Record<string, number> = {};
    try {
      const startedAt = performance.now();
      const ask = async (name: string, answer: Promise<{ ok: boolean; error?: { code: string } }>) => {
        const ack = await answer;
        slowest[name] = Math.max(slowest[name] ?? 0, performance.now() - startedAt);
        assert(!ack.ok && ack.error?.code === 'unavailable', `${name} was answered ${JSON.stringify(ack)}`);
      };
      await Promise.all([
        ...Array.from({ length: 8 }, () => ask('history:read', client.request('history:read', { room }))),
        ...Array.from({ length: 4 }, () => ask('room:join', client.request('room:join', { room }))),
        ...Array.from({ length: 4 }, () => ask('room:join anew', client.request('room:join', { room: newRoom() }))),
        ask('message:send', client.request('message:send', { room, clientMsgId, text: 'meanwhile' })),
        ask('room:create', client.request('room:create', { room: newRoom() })),
        ask('presence:watch', client.request('presence:watch', { room })),
        ask('room:members', client.request('room:members', { room })),
      ]);
    } finally {
      await cluster.redis.kill('SIGCONT');
    }
    for (const [name, ms] of Object.entries(slowest)) assert(ms < ANSWER_MS_MAX, `${name} took ${Math.round(ms)} ms`);
    const { seq } = await client.patient('message:send', { room, clientMsgId, text: 'meanwhile' });
    assert.equal(seq, 2, 'sent again, it is the same message');
    cluster.assertAlive();
  });

  test('reads of many connections that wait for each other are also answered in time', async (t) => {
    const readers = await Promise.all(
      Array.from({ length: READERS }, () => connect(gateway.url, { token: tokenOf(newId()) })),
    );
    t.after(() => {
      for (const reader of readers) reader.close();
    });
    await cluster.redis.kill('SIGSTOP');
    try {
      const durations = readers.map(async (reader, index) => {
        await pause(index * READ_EVERY_MS);
        const startedAt = performance.now();
        const ack = await reader.request('history:read', { room });
        assert(!ack.ok && ack.error.code === 'unavailable', JSON.stringify(ack));
        return performance.now() - startedAt;
      });
      const slowestMs = Math.max(...(await Promise.all(durations)));
      assert(slowestMs < ANSWER_MS_MAX, `one took ${Math.round(slowestMs)} ms`);
    } finally {
      await cluster.redis.kill('SIGCONT');
    }
    cluster.assertAlive();
  });
});

describe('after a network that dropped handshakes', () => {
  test('messages are stored and reads are answered again', async () => {
    hole.swallowing = true;
    hole.cutAll();
    await poll('each connection to hang in its handshake', () => hole.swallowed >= CONNECTIONS);
    hole.swallowing = false;
    const retry = { timeoutMs: HEALED_MS_MAX, everyMs: 100 };
    await poll('a read', async () => (await client.request('history:read', { room })).ok, retry);
    const send = () => client.request('message:send', { room, clientMsgId: newId(), text: 'afterwards' });
    const stored = await poll(
      'a stored message',
      async () => {
        const ack = await send();
        return ack.ok ? ack.data : undefined;
      },
      retry,
    );
    await client.event<{ seq: number }>('message', ({ seq }) => seq === stored.seq);
    cluster.assertAlive();
  });
});
