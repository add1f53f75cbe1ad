/** Sign-ins are rate limited, and claimed connection slots are released. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedisStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import type { Connection } from '../edge/connection.ts';
import type { Tokens } from '../identity/tokens.ts';
import { ConnectionSlots, FREE_CONNECTIONS } from '../limits/connection-slots.ts';
import { SessionRegistry } from './registry.ts';
import { type SessionMetrics, Sessions } from './sessions.ts';

const LIMIT = { perSecond: 1, burst: 1 };
const metrics: SessionMetrics = { connected() {}, disconnected() {}, refused() {}, ended() {} };
const tokens = {
  verify: async () => ({ user: { id: 'mina', name: 'Mina' }, roles: [], expiresAtS: 1e9 }),
} as unknown as Tokens;

const connection = {
  id: 'c',
  closed: false,
  greet() {},
  emit() {},
  send() {},
  queuedPackets: () => 0,
} as unknown as Connection;

function start(isRevoked = () => false) {
  /** Answers calls of the store, in order. */
  const answers: Array<(granted: number) => void> = [];
  const store = { at: () => new Promise((resolve) => answers.push(resolve)) } as unknown as RedisStore;
  const registry = new SessionRegistry({ connectionsPerUserMax: 20 });
  const { connectionsOf } = registry;
  const slots = new ConnectionSlots({ store, node: 'n', max: 100, ttlMs: 30_000, connectionsOf, now: () => 0 });
  const sessions = new Sessions({
    ...{ tokens, registry, slots, metrics, isRevoked },
    gate: { isOpen: () => true } as never,
    resumeRooms: () => assert.fail('resumed'),
    connectionLimits: { events: LIMIT, userEvents: { perSecond: 1, burst: 3 }, bytes: LIMIT, requestsMax: 1 },
    connectionsPerUserMax: 20,
    limits: { textBytesMax: 16 },
    features: ['guests'],
    isDegraded: () => false,
    onRequest() {},
    onGone() {},
    onRemoved() {},
    logger: createLogger({ service: 'test', node: 'n', level: 'silent' }),
    now: () => 0,
    storeNow: () => 0,
  });
  const open = () => {
    const transport = { close() {} };
    sessions.transportOpened(transport);
    return transport;
  };
  const authenticate = (transport: ReturnType<typeof open>) => sessions.authenticate(transport, { token: 'x' });
  return { sessions, registry, slots, answers, open, authenticate };
}

test('a transport that ends during its claim leaves no slot taken', async () => {
  const { sessions, slots, answers, open, authenticate } = start();
  const transports = Array.from({ length: FREE_CONNECTIONS }, open);
  for (const transport of transports) assert.ok((await authenticate(transport)) !== undefined);
  const ending = open();
  const authenticated = authenticate(ending);
  await new Promise(setImmediate);
  assert.equal(answers.length, 1);
  sessions.transportClosed(ending);
  answers.shift()?.(FREE_CONNECTIONS + 1);
  assert.equal(await authenticated, undefined);
  // The slot is returned to the store.
  await new Promise(setImmediate);
  answers.shift()?.(0);
  await new Promise(setImmediate);
  for (const transport of transports) sessions.transportClosed(transport);
  for (let n = 0; n < FREE_CONNECTIONS; n++) assert.equal(slots.reserve({}, 'mina'), true);
});

test('a session that ends releases its slot at once', async () => {
  const { sessions, answers, open, authenticate } = start();
  const begin = async () => {
    const transport = open();
    const identity = await authenticate(transport);
    assert.ok(identity !== undefined);
    return sessions.connected(transport, connection, identity, {}) ?? assert.fail('refused');
  };
  for (let n = 0; n < FREE_CONNECTIONS; n++) await begin();
  const beginning = begin();
  await new Promise(setImmediate);
  answers.shift()?.(FREE_CONNECTIONS + 1);
  const session = await beginning;
  assert.equal(answers.length, 0);
  sessions.disconnected(session, 'transport close');
  assert.equal(answers.length, 1);
});

test('a user who was revoked after the token check gets no session', async () => {
  const { sessions, registry, open, authenticate } = start(() => true);
  const events: string[] = [];
  const ending = {
    ...{ id: 's', closed: false, greet() {}, disconnect: () => events.push('DISCONNECT') },
    emit: (event: string, payload: unknown) => events.push(event, JSON.stringify(payload)),
  } as unknown as Connection;
  const transport = open();
  const identity = (await authenticate(transport)) ?? assert.fail('refused');
  assert.equal(sessions.connected(transport, ending, identity, {}), undefined);
  assert.deepEqual([events, registry.size], [['notice', '{"code":"revoked"}', 'DISCONNECT'], 0]);
});

test('sign-ins of a user beyond a burst are delayed, not refused', async () => {
  const { sessions, open, authenticate } = start();
  const signIn = async () => {
    const transport = open();
    assert.ok((await authenticate(transport)) !== undefined);
    sessions.transportClosed(transport);
  };
  for (let count = 0; count < 400; count++) await signIn();
  const startedAtMs = performance.now();
  await signIn();
  assert.ok(performance.now() - startedAtMs > 150);
});

test('if too many events of a user are refused, all connections of the user are read more slowly', async () => {
  const { sessions, open, authenticate } = start();
  const begin = async () => {
    const pauses: number[] = [];
    const transport = open();
    const paused = { ...connection, pauseReading: (ms: number) => pauses.push(ms) > 0 } as unknown as Connection;
    const session = sessions.connected(transport, paused, (await authenticate(transport)) ?? assert.fail(), {});
    return { session: session ?? assert.fail('refused'), pauses };
  };
  const [flooding, other] = [await begin(), await begin()];
  // One event is served, and 400 may be refused.
  for (let count = 0; count < 401; count++) flooding.session.takeEvent(0);
  assert.deepEqual(flooding.pauses, []);
  flooding.session.takeEvent(0);
  assert.deepEqual(flooding.pauses, [100]);
  for (let count = 0; count < 2; count++) other.session.takeEvent(0);
  assert.deepEqual(other.pauses, [100]);
});

test('refused events of a connection that cannot be paused count once each, so it is not cut within one burst', async () => {
  const { sessions, open, authenticate } = start();
  const begin = async (paused: boolean) => {
    const transport = open();
    const pausing = { ...connection, closeTransport() {}, pauseReading: () => paused } as unknown as Connection;
    return (
      sessions.connected(transport, pausing, (await authenticate(transport)) ?? assert.fail(), {}) ?? assert.fail()
    );
  };
  const [polling, webSocket] = [await begin(false), await begin(true)];
  const refusedUntilEnd = (session: typeof polling) => {
    let refused = 0;
    while (!session.closed && refused < 5_000) if (session.takeEvent(0) > 0) refused++;
    return refused;
  };
  assert.deepEqual([refusedUntilEnd(polling), refusedUntilEnd(webSocket)], [3_001, 60]);
});

test('the events of all connections of a user count together, including ended ones', async () => {
  const { sessions, open, authenticate } = start();
  const begin = async () => {
    const transport = open();
    const identity = (await authenticate(transport)) ?? assert.fail('refused');
    return sessions.connected(transport, connection, identity, {}) ?? assert.fail('refused');
  };
  const [first, second] = [await begin(), await begin()];
  assert.deepEqual([first.takeEvent(0), second.takeEvent(0)], [0, 0]);
  sessions.disconnected(first, 'transport close');
  assert.equal((await begin()).takeEvent(0), 0);
  assert.ok((await begin()).takeEvent(0) > 0);
});

test('a session contains the limits and features of the cluster', async () => {
  const { sessions, open, authenticate } = start();
  const packets: string[] = [];
  const transport = open();
  const receiving = { ...connection, send: (packet: string) => packets.push(packet) } as unknown as Connection;
  sessions.connected(transport, receiving, (await authenticate(transport)) ?? assert.fail('refused'), {});
  const [, session] = JSON.parse(packets[0]?.slice(packets[0].indexOf('[')) ?? '') as [string, object];
  assert.deepEqual(session, {
    user: { id: 'mina', name: 'Mina', roles: [] },
    ...{ sessionId: 'c', rooms: {}, limits: { textBytesMax: 16 }, features: ['guests'] },
  });
});
