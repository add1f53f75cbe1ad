/** Data that stays in the store is limited for each user, over all gateways. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Ack, LIMITS } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const GUEST_ROOMS = 3;
const USER_ROOMS_PER_HOUR = 4;
const GUEST_BYTES = 300_000;
const HOUR_MS = 3_600_000;

let cluster: Gateways;
let urls: string[];
const open: TestClient[] = [];

before(async () => {
  cluster = await startGateways({
    gateways: 2,
    environment: {
      ...WIDE_LIMITS,
      MARU_GUESTS: 'on',
      MARU_GUEST_SECRET: 'a-guest-secret-for-tests-only-0123456789',
      MARU_GUEST_ROOMS_MAX: String(GUEST_ROOMS),
      MARU_USER_ROOMS_PER_HOUR: String(USER_ROOMS_PER_HOUR),
      MARU_GUEST_BYTES_PER_HOUR: String(GUEST_BYTES),
      MARU_USER_BYTES_PER_HOUR: String(GUEST_BYTES),
    },
  });
  urls = cluster.gateways.map(({ url }) => url);
});
after(async () => {
  for (const client of open) client.close();
  await cluster?.stop();
});

/** One user's connections: one to each gateway. */
async function everywhere(token: string): Promise<TestClient[]> {
  const clients = await Promise.all(urls.map((url) => connect(url, { token })));
  open.push(...clients);
  return clients;
}
const guest = async () => everywhere((await createGuest(urls[0] as string)).token);
const user = () => everywhere(tokenOf(newId()));

const message = (room: string, text = 'x') => ({ room, clientMsgId: newId(), text });

/** Sends requests in turn on all connections until one is refused. Returns how many were served. */
async function untilRefused(clients: TestClient[], send: (client: TestClient) => Promise<Ack<unknown>>) {
  for (let served = 0; served < 2_000; served++) {
    const ack = await send(clients[served % clients.length] as TestClient);
    if (!ack.ok) return { served, error: ack.error };
  }
  return assert.fail('nothing was refused');
}

function assertBytesRefusal(error: { code: string; retryAfterMs?: number }): void {
  assert.equal(error.code, 'rate_limited');
  const { retryAfterMs = 0 } = error;
  assert(retryAfterMs > 0 && retryAfterMs <= HOUR_MS, String(retryAfterMs));
}

test('a guest creates few rooms on all gateways together, and can continue to write in them', async () => {
  const clients = await guest();
  const [first] = clients as [TestClient];
  const made: string[] = [];
  const { served, error } = await untilRefused(clients, async (client) => {
    const room = newRoom();
    await client.ok('room:join', { room });
    const ack = await client.request('message:send', message(room));
    if (ack.ok) made.push(room);
    return ack;
  });
  assert.equal(served, GUEST_ROOMS);
  assert.equal(error.code, 'conflict');
  await first.refused('conflict', 'room:create', { room: newRoom() });
  await first.ok('room:create', { visibility: 'private' });
  for (const room of made) await first.ok('message:send', message(room));
  const [stranger] = (await user()) as [TestClient];
  const theirs = newRoom();
  await stranger.ok('room:create', { room: theirs });
  await first.ok('message:send', message(theirs));
});

test('a user creates few rooms an hour, explicitly or by a first message, and the refusal says when more are allowed', async () => {
  const clients = await user();
  const [first] = clients as [TestClient];
  const room = newRoom();
  const kinds = [
    (client: TestClient) => client.request('room:create', { room: newRoom() }),
    (client: TestClient) => client.request('room:create', { visibility: 'private' }),
    async (client: TestClient) => {
      const room = newRoom();
      await client.ok('room:join', { room });
      return client.request('message:send', message(room));
    },
  ];
  await first.ok('room:create', { room });
  // Neither a retry nor a refused request counts.
  await first.ok('room:create', { room });
  await first.refused('conflict', 'room:create', { room, title: 'Another' });
  for (let made = 1; made < USER_ROOMS_PER_HOUR; made++)
    assert((await kinds[made % 3]?.(clients[made % 2] as TestClient))?.ok);
  for (const make of kinds) {
    const ack = await make(first);
    assert(!ack.ok);
    assert.deepEqual([ack.error.code, ack.error.retryable], ['rate_limited', true]);
    const { retryAfterMs = 0 } = ack.error;
    assert(retryAfterMs > HOUR_MS - 60_000 && retryAfterMs <= HOUR_MS, String(retryAfterMs));
  }
});

test('messages sent at once into a new room are stored in the order sent', async () => {
  const [first] = (await user()) as [TestClient];
  const room = newRoom();
  const joined = first.ok('room:join', { room });
  const acks = await Promise.all(Array.from({ length: 40 }, () => first.ok('message:send', message(room))));
  await joined;
  assert.deepEqual(
    acks.map(({ seq }) => seq),
    acks.map((_, index) => index + 1),
  );
});

test('large texts of a guest, also in JSON escapes, fill a stated number of bytes on all gateways together', async () => {
  for (const text of ['\u{1f600}'.repeat(4_000), `${'\u000b'.repeat(5_000)}x`, 'a short one']) {
    const clients = await guest();
    const room = newRoom();
    await clients[0]?.ok('room:join', { room });
    const startedAt = Date.now();
    const { served, error } = await untilRefused(clients, (client) =>
      client.request('message:send', message(room, text)),
    );
    assertBytesRefusal(error);
    const stored = served * Buffer.byteLength(JSON.stringify(text));
    const most = GUEST_BYTES * (1 + (Date.now() - startedAt) / HOUR_MS) + 2 * 32_768;
    assert(stored <= most, `${stored} bytes of ${most}`);
    assert(served >= 7, `only ${served} stored`);
  }
});

test('rooms that are created only by joins or resumes count as bytes', async () => {
  const [first, second] = (await guest()) as [TestClient, TestClient];
  const { token } = await createGuest(urls[0] as string);
  const startedAt = Date.now();
  /** One more on each gateway, plus the refill since. */
  const roomsMax = (sinceMs: number) => (GUEST_BYTES * (1 + (Date.now() - sinceMs) / HOUR_MS)) / 512 + urls.length;
  const { served, error } = await untilRefused([first, second], async (client) => {
    const room = newRoom();
    const ack = await client.request('room:join', { room });
    if (ack.ok) await client.ok('room:leave', { room });
    return ack;
  });
  assertBytesRefusal(error);
  assert(served <= roomsMax(startedAt), String(served));
  const codes: string[] = [];
  for (let handshake = 0; handshake < 4; handshake++) {
    const resume = Object.fromEntries(
      Array.from({ length: 200 }, () => [newRoom(), { epoch: '1.0123456789abcdef', seq: 0 }]),
    );
    const client = await connect(urls[handshake % 2] as string, { token, resume });
    open.push(client);
    for (const answer of Object.values(client.session.rooms)) codes.push('error' in answer ? answer.error.code : 'ok');
  }
  const joined = codes.filter((code) => code === 'ok').length;
  assert(joined <= roomsMax(startedAt), String(joined));
  assert(codes.includes('rate_limited'));
});

test('invitations count as bytes', async () => {
  const [first] = (await user()) as [TestClient];
  const { room } = await first.ok('room:create', { visibility: 'private' });
  const { served, error } = await untilRefused([first], (client) =>
    client.request('room:invite', { room, user: newId() }),
  );
  assertBytesRefusal(error);
  assert(served <= GUEST_BYTES / 512 + 10, String(served));
});

test('all copies of an act count as bytes', async () => {
  const [first] = (await user()) as [TestClient];
  const room = newRoom();
  await first.ok('room:create', { room });
  const reason = '\u{1f600}'.repeat(LIMITS.reasonCharsMax);
  const { served, error } = await untilRefused([first], (client) =>
    client.request('room:ban', { room, user: newId(), reason }),
  );
  assertBytesRefusal(error);
  // In the entry for readers, in the entry for retries, and with the ban.
  const stored = served * 3 * Buffer.byteLength(reason);
  assert(stored <= GUEST_BYTES, `${stored} bytes`);
  assert(served >= 10, `only ${served} stored`);
});
