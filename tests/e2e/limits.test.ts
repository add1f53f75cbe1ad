import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Ack, SendData } from '@maru/protocol';
import { TestClient as Client, connect, type TestClient } from '../support/client.ts';
import { poll, sleep } from '../support/poll.ts';
import { readHistory } from '../support/sender.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
after(() => {
  for (const client of open) client.close();
});

async function clientsOf(count: number): Promise<TestClient[]> {
  const { endpoint } = cluster;
  const gateways = await cluster.gateways();
  const { token } = await createGuest(endpoint);
  const clients = [];
  for (let index = 0; index < count; index++)
    clients.push(await connect(gateways[index % gateways.length]?.address ?? endpoint, { token }));
  open.push(...clients);
  return clients;
}

const send = (client: TestClient, room: string): Promise<Ack<SendData>> =>
  client.request('message:send', { room, clientMsgId: newId(), text: 'quick' });

describe('the message quota', () => {
  test('limits a user across all gateways, reports retryAfterMs, and stores no refused message', async () => {
    const clients = await clientsOf(2);
    const [first] = clients;
    assert(first !== undefined);
    const room = newRoom();
    await first.ok('room:join', { room });
    const startedMs = Date.now();
    // 150 on each node: separate buckets on each node would accept at least 200 of them.
    const acks = await Promise.all(clients.flatMap((client) => Array.from({ length: 150 }, () => send(client, room))));
    const tookMs = Date.now() - startedMs;
    const stored = acks.filter(({ ok }) => ok).length;
    const refused = acks.filter((ack) => !ack.ok);
    // The burst of 100, the refill of 20 a second, and slack for the tokens that nodes lease in
    // blocks.
    const most = 100 + (20 * tookMs) / 1000 + 25;
    assert(stored >= 80 && stored <= most, `${stored} of 300 stored in ${tookMs} ms; at most ${most.toFixed(0)}`);
    for (const ack of refused) {
      assert(!ack.ok);
      assert.equal(ack.error.code, 'rate_limited');
      assert.equal(ack.error.retryable, true);
      assert(
        typeof ack.error.retryAfterMs === 'number' && ack.error.retryAfterMs > 0 && ack.error.retryAfterMs < 60_000,
      );
    }
    assert.equal((await readHistory(first, room)).length, stored);
    assert(clients.every((client) => client.connected));
  });

  test('accepts a client that waits for retryAfterMs each time, and never disconnects it', async () => {
    const [client] = await clientsOf(1);
    assert(client !== undefined);
    const room = newRoom();
    await client.ok('room:create', { room });
    let refusals = 0;
    for (let index = 0; index < 160; ) {
      const acks = await Promise.all(Array.from({ length: 10 }, () => send(client, room)));
      let waitMs = 0;
      for (const ack of acks) {
        if (ack.ok) index++;
        else {
          refusals++;
          waitMs = Math.max(waitMs, ack.error.retryAfterMs ?? assert.fail('no retryAfterMs'));
        }
      }
      if (waitMs === 0) continue;
      // Other messages of the batch may take the token first. One more wait is fair, but not many.
      let tries = 0;
      for (let next: Ack<SendData> | undefined; next?.ok !== true; tries++) {
        assert(tries < 5, `refused ${tries} times although the client waited each time: ${JSON.stringify(next)}`);
        await sleep(waitMs);
        next = await send(client, room);
        if (!next.ok) waitMs = next.error.retryAfterMs ?? assert.fail('no retryAfterMs');
      }
    }
    assert(refusals > 0, 'the test must reach the limit');
    assert(client.connected);
    assert.deepEqual(client.disconnects, []);
  });

  test('does not count retries of a stored message', async () => {
    const [client] = await clientsOf(1);
    assert(client !== undefined);
    const room = newRoom();
    await client.ok('room:create', { room });
    const message = { room, clientMsgId: newId(), text: 'again' };
    const answers: SendData[] = [];
    while (answers.length < 150) answers.push(await client.patient('message:send', message));
    assert(answers.every(({ seq, duplicate }, index) => seq === 1 && duplicate === index > 0));
    const acks = await Promise.all(Array.from({ length: 60 }, () => send(client, room)));
    assert(acks.filter(({ ok }) => ok).length >= 40, 'the burst must still be available');
  });
});

describe('the event limit', () => {
  test('answers rate_limited above 200 events at once, and accepts events again after retryAfterMs', async () => {
    const [client] = await clientsOf(1);
    assert(client !== undefined);
    const room = newRoom();
    await client.ok('room:create', { room });
    const acks = await Promise.all(Array.from({ length: 300 }, () => client.request('history:read', { room })));
    const refused = acks.filter((ack) => !ack.ok && ack.error.code === 'rate_limited');
    assert(refused.length >= 50 && refused.length <= 110, `${refused.length} of 300 events were refused`);
    const waitMs = Math.max(...refused.map((ack) => (ack.ok ? 0 : (ack.error.retryAfterMs ?? Number.NaN))));
    assert(waitMs > 0 && waitMs < 10_000, `retryAfterMs is ${waitMs}`);
    await sleep(waitMs);
    const later = await client.request('history:read', { room });
    assert(later.ok || later.error.code !== 'rate_limited', JSON.stringify(later));
    assert(client.connected);
  });
});

describe('the connection limit', () => {
  test('is 20 for each user and node, and the next one reconnects until a place is free', async () => {
    const { endpoint } = cluster;
    const [gateway] = await cluster.gateways();
    assert(gateway !== undefined);
    const { token } = await createGuest(endpoint);
    const room = newRoom();
    for (let index = 0; index < 20; index++) open.push(await connect(gateway.address, { token }));
    const twenty = open.slice(-20);
    for (const client of twenty) await client.ok('room:join', { room });
    const refused = () => refusedFor('connections');
    const before = await refused();
    const more = new Client(gateway.address, { token, reconnection: true });
    open.push(more);
    const errors: Error[] = [];
    more.socket.on('connect_error', (error) => errors.push(error));
    more.socket.connect();
    // Socket.IO reconnects by itself, and the gateway closes the connection again.
    await poll('the connection to be closed twice', () => more.disconnects.length >= 2);
    assert((await refused()) >= before + 2, 'the gateway must count refused connections');
    const codes = new Set(more.received.map(({ name, payload }) => `${name} ${(payload as { code?: string }).code}`));
    assert.deepEqual([...codes], ['notice too_many_connections'], 'a refused connection receives only the reason');
    // A temporary refusal must not be a connect_error, because Socket.IO does not retry after one.
    assert.deepEqual(errors, []);
    assert.deepEqual([...new Set(more.disconnects)], ['transport close']);
    assert(
      twenty.every((client) => client.connected),
      'the first 20 must stay connected',
    );
    await twenty[0]?.ok('message:send', { room, clientMsgId: newId(), text: 'hello' });
    for (const client of twenty) await client.until(room, 1);
    twenty[19]?.close();
    await more.event('session');
    await more.ok('room:join', { room });
  });
});

/** Handshakes that the gateways refused for this reason, from their metrics. */
async function refusedFor(reason: string): Promise<number> {
  let total = 0;
  for (const { ops } of await cluster.gateways()) {
    const metrics = await (await fetch(`${ops}/metrics`)).text();
    const line = new RegExp(`^maru_handshakes_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(metrics);
    total += Number(line?.[1] ?? 0);
  }
  return total;
}
