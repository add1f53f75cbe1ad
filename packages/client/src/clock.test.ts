import assert from 'node:assert/strict';
import { after, before, it, type TestContext } from 'node:test';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClientOptions, createChatClient } from './chat-client.ts';
import type { OutgoingMessage } from './events.ts';
import { systemScheduler } from './scheduler.ts';
import { memoryPlace } from './testing/memory-place.ts';

const HOUR_MS = 3_600_000;
let server: FakeServer;

before(async () => {
  server = await startFakeServer();
});
after(() => server.close());

function moveClock(t: TestContext, byMs: number): void {
  const real = Date.now;
  t.mock.method(Date, 'now', () => real() + byMs);
}

function start(t: TestContext, options: Partial<ChatClientOptions> = {}) {
  const client = createChatClient({ url: server.url, getToken: () => 'mina', ...options });
  t.after(() => client.close());
  const states: string[] = [];
  const outgoing: OutgoingMessage[] = [];
  client.on('connection', ({ state }) => void states.push(state));
  client.on('outgoing', (message) => void outgoing.push(message));
  const until = async (what: string, holds: () => boolean) => {
    for (let i = 0; i < 1_000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(holds(), what);
  };
  return { client, states, outgoing, until };
}

for (const byMs of [-HOUR_MS, HOUR_MS]) {
  it(`keeps its connection and sends if the clock is set ${byMs < 0 ? 'back' : 'ahead'} by an hour`, async (t) => {
    const { client, states, outgoing, until } = start(t);
    client.connect();
    client.join('clock');
    await until('it is connected', () => client.connection.state === 'connected');
    moveClock(t, byMs);
    client.send('clock', 'x');
    await until('the message is stored', () => outgoing.some(({ state }) => state.kind === 'stored'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(states, ['connecting', 'connected']);
    const [first] = outgoing;
    assert.ok(Math.abs(Number(first?.queuedAtMs) - Date.now()) < 60_000, 'the displayed time follows the clock');
  });

  it(`measures time without the wall clock, ${byMs < 0 ? 'set back' : 'set ahead'}`, (t) => {
    const before = systemScheduler.now();
    moveClock(t, byMs);
    assert.ok(Math.abs(systemScheduler.now() - before) < 60_000);
  });

  it(`gives up in time on a message from before a reload, with the clock ${byMs < 0 ? 'back' : 'ahead'}`, async (t) => {
    const storage = memoryPlace();
    const first = start(t, { storage });
    first.client.send('clock', 'x');
    first.client.close();
    moveClock(t, byMs);
    const { client, outgoing, until } = start(t, { storage, giveUpAfterMs: 200 });
    client.retryNow();
    assert.equal(client.pending()[0]?.state.kind, 'sending');
    client.send('clock', 'y');
    assert.equal(client.pending()[0]?.state.kind, 'sending', 'it waits from the reload on');
    await until('both failed', () => outgoing.filter(({ state }) => state.kind === 'failed').length === 2);
  });
}
