import assert from 'node:assert/strict';
import { after, before, beforeEach, it, type TestContext } from 'node:test';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClientOptions, createChatClient } from './chat-client.ts';
import { type SilentProxy, startSilentProxy } from './testing/silent-proxy.ts';

const BOT = { id: 'bot', name: 'Bot' };
const QUICK = { connectTimeoutMs: 300, probeAfterMs: 100, probeTimeoutMs: 300, onlineProbeTimeoutMs: 100 };
let server: FakeServer;
let proxy: SilentProxy;
let rooms = 0;

before(async () => {
  server = await startFakeServer();
});
beforeEach(async (t) => {
  proxy = await startSilentProxy(server.url);
  (t as TestContext).after(() => proxy.close());
});
after(() => server.close());

function start(t: TestContext, options: Partial<ChatClientOptions> = {}) {
  const room = `silent-${++rooms}`;
  const client = createChatClient({ url: proxy.url, getToken: () => 'mina', ...QUICK, ...options });
  t.after(() => client.close());
  const states: string[] = [];
  const texts: string[] = [];
  const stored: string[] = [];
  client.on('connection', ({ state }) => void states.push(state));
  client.on('entries', ({ entries }) => void texts.push(...entries.map(({ text }) => text ?? '')));
  client.on('outgoing', ({ text, state }) => {
    if (state.kind === 'stored') stored.push(text);
  });
  let isJoined = false;
  client.on('room', ({ status }) => {
    isJoined = status === 'joined';
  });
  client.connect();
  client.join(room);
  return { client, room, states, texts, stored, isJoined: () => isJoined };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

for (const transport of ['websocket', 'polling'] as const) {
  it(`stores a message that was sent on a dead ${transport} connection, once`, async (t) => {
    const { client, room, stored, texts, isJoined } = start(t, { transports: [transport] });
    await until('the room is joined', isJoined);
    proxy.silence();
    client.send(room, 'mine');
    server.post(room, BOT, 'theirs');
    await until('both are there', () => stored.length === 1 && texts.length === 2);
    assert.equal(server.log(room).length, 2);
  });
}

it('detects a dead connection without any request when the network is back', async (t) => {
  const { client, room, texts, isJoined } = start(t);
  await until('the room is joined', isJoined);
  proxy.silence();
  server.post(room, BOT, 'theirs');
  await pause(600);
  assert.deepEqual(texts, []);
  client.retryNow();
  await until('the message is there', () => texts.length === 1);
});

it('replaces a hanging attempt as soon as the server is reachable again', async (t) => {
  const { client, states, isJoined } = start(t, { connectTimeoutMs: 60_000, reachEveryMs: 100 });
  await until('the room is joined', isJoined);
  proxy.isDead = true;
  proxy.silence();
  client.retryNow();
  const before = proxy.connections();
  await until('it tries again, and asks whether the server can be reached', () => proxy.connections() > before + 1);
  proxy.isDead = false;
  await until('it is connected again', () => states.filter((state) => state === 'connected').length === 2);
});

it('opens no further connection and sends nothing while an idle connection is healthy', async (t) => {
  const { isJoined } = start(t, { reachEveryMs: 20, lateAfterMs: 20, probeAfterMs: 20 });
  await until('the room is joined', isJoined);
  const requests: string[] = [];
  server.onRequest = (name) => void requests.push(name);
  t.after(() => {
    server.onRequest = null;
  });
  const before = proxy.connections();
  await pause(300);
  assert.deepEqual([requests, proxy.connections()], [[], before]);
});

it('is late, not connected, while a message waits too long for its answer', async (t) => {
  const { client, room, states, stored, isJoined } = start(t, { lateAfterMs: 50, probeAfterMs: 60_000 });
  await until('the room is joined', isJoined);
  proxy.silence();
  client.send(room, 'x');
  assert.equal(client.connection.state, 'connected');
  await until('it is late', () => client.connection.state === 'late');
  client.retryNow();
  await until('it is stored', () => stored.length === 1);
  await until('it is connected', () => client.connection.state === 'connected');
  assert.deepEqual(states.slice(0, 4), ['connecting', 'connected', 'late', 'connecting']);
});

it('checks the connection when the system reports that the network is gone', async (t) => {
  const listeners = new EventTarget();
  const page = globalThis as { addEventListener?: unknown; removeEventListener?: unknown };
  page.addEventListener = listeners.addEventListener.bind(listeners);
  page.removeEventListener = listeners.removeEventListener.bind(listeners);
  const { client, states, isJoined } = start(t);
  t.after(() => {
    client.close();
    delete page.addEventListener;
    delete page.removeEventListener;
  });
  await until('the room is joined', isJoined);
  listeners.dispatchEvent(new Event('offline'));
  await pause(300);
  assert.deepEqual(states, ['connecting', 'connected'], 'the system was wrong');
  proxy.silence();
  listeners.dispatchEvent(new Event('offline'));
  await until('it is connected again', () => states.length === 4);
});

it('keeps a connection that answers its probe', async (t) => {
  const { client, states, isJoined } = start(t);
  await until('the room is joined', isJoined);
  for (let i = 0; i < 5; i++) {
    client.retryNow();
    await pause(50);
  }
  await pause(300);
  assert.deepEqual(states, ['connecting', 'connected']);
});

for (const mode of ['hang', 'swallow'] as const) {
  it(`connects by polling if WebSockets ${mode}, and remembers it`, async (t) => {
    proxy.mode = mode;
    const { client, room, isJoined, stored, states } = start(t);
    await until('the room is joined', isJoined);
    assert.equal(proxy.upgrades(), 1);
    server.cutAll();
    await until('it is connected again', () => states.filter((state) => state === 'connected').length === 2);
    client.send(room, 'x');
    await until('the message is stored', () => stored.length === 1);
    assert.equal(proxy.upgrades(), 1);
  });
}

it('connects by polling if WebSockets fall silent after the session', async (t) => {
  const client = createChatClient({ url: proxy.url, getToken: () => 'mina', ...QUICK });
  t.after(() => client.close());
  let sessions = 0;
  client.on('session', () => {
    if (++sessions <= 2) proxy.silence();
  });
  let joined = 0;
  client.on('room', ({ status }) => {
    if (status === 'joined') joined++;
  });
  client.connect();
  client.join('silent-after');
  await until('the room is joined', () => joined === 1);
  assert.equal(proxy.upgrades(), 2);
});

it('tries WebSocket again after the polling period', async (t) => {
  proxy.mode = 'hang';
  const { states, isJoined } = start(t, { pollingForMs: 1 });
  await until('the room is joined', isJoined);
  proxy.mode = 'pass';
  server.cutAll();
  await until('it is connected again', () => states.filter((state) => state === 'connected').length === 2);
  assert.equal(proxy.upgrades(), 2);
});

it('asks for less after a missing page, and still delivers everything', async (t) => {
  const limits: number[] = [];
  const room = `silent-${++rooms}`;
  for (let i = 1; i <= 120; i++) server.post(room, BOT, `${i}`);
  server.onRequest = (name, { limit }) => {
    if (name !== 'room:join' && name !== 'history:read') return;
    limits.push(Number(limit));
    // This answer is too large for the link.
    if (Number(limit) > 30) proxy.silence();
  };
  t.after(() => {
    server.onRequest = null;
  });
  const client = createChatClient({ url: proxy.url, getToken: () => 'mina', ...QUICK });
  t.after(() => client.close());
  const seqs: number[] = [];
  client.on('entries', ({ entries }) => void seqs.push(...entries.map(({ seq }) => seq)));
  client.connect();
  client.join(room, { limit: 100 });
  await until('everything is there', () => seqs.length >= 100);
  assert.deepEqual(
    seqs,
    Array.from({ length: 100 }, (_, i) => 21 + i),
  );
  assert.deepEqual(limits.slice(0, 2), [100, 12]);
});

it('extends its timeouts on a slow path', async (t) => {
  proxy.uplinkDelayMs = 500;
  const { client, room, stored } = start(t, { connectTimeoutMs: 3_000 });
  client.send(room, 'x');
  await until('the message is stored', () => stored.length === 1);
});

it('reads entries that a resume promised but did not deliver', async (t) => {
  const { room, texts, isJoined, states } = start(t, { catchUpMs: 100 });
  await until('the room is joined', isJoined);
  server.post(room, BOT, '1');
  await until('the first is there', () => texts.length === 1);
  server.faults.loseMissed = 1;
  server.faults.loseEntries = 2;
  server.post(room, BOT, '2');
  server.post(room, BOT, '3');
  server.cutAll();
  await until('it is connected again', () => states.filter((state) => state === 'connected').length === 2);
  await until('the others are there', () => texts.length === 3);
  assert.deepEqual(texts, ['1', '2', '3']);
});

it('reads an own message that is stored but does not arrive', async (t) => {
  const { client, room, texts, stored, isJoined } = start(t, { catchUpMs: 100 });
  await until('the room is joined', isJoined);
  server.faults.loseEntries = 1;
  client.send(room, 'mine');
  await until('it is stored', () => stored.length === 1);
  await until('it is there', () => texts.length === 1);
});
