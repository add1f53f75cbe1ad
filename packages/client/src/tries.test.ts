import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import { type ChatClient, createChatClient } from './chat-client.ts';

const RETRY_MS = 5_000;

async function until(what: string, client: ChatClient, state: ChatClient['connection']['state']): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (client.connection.state !== state) {
    if (Date.now() > deadline) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('reports the reason and waits longer each time while the user has too many connections', async (t) => {
  const cluster: FakeServer = await startFakeServer();
  const client = createChatClient({ url: cluster.url, getToken: () => 'mina' });
  t.after(async () => {
    client.close();
    await cluster.close();
  });
  client.connect();
  await until('it is connected', client, 'connected');
  // First the reason is a notice, then refusals.
  cluster.notice({ code: 'too_many_connections', reconnectInMs: RETRY_MS });
  await new Promise((resolve) => setTimeout(resolve, 100));
  cluster.cutAll();
  for (const leastMs of [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]) {
    await until('it is refused', client, 'offline');
    const state = client.connection;
    assert.ok(state.state === 'offline');
    assert.deepEqual([state.error?.code, state.error?.reason], ['rate_limited', 'too_many_connections']);
    const delayMs = state.retryAtMs - performance.now();
    assert.ok(delayMs > leastMs - 1_000 && delayMs <= leastMs * 1.1, `a delay of ${delayMs} ms`);
    cluster.faults.crowded = leastMs < 4 * RETRY_MS;
    client.retryNow();
    if (cluster.faults.crowded) await until('the next try', client, 'connecting');
  }
  await until('it is connected again', client, 'connected');
});
