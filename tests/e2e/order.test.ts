import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { checkRoom } from '@maru/testkit/checker/check-room';
import { connect, type TestClient } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { readHistory, sendMany } from '../support/sender.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
after(() => {
  for (const client of open) client.close();
});

// Read once: each call starts a process, and forty concurrent ones would overload a busy machine.
const gateways = await cluster.gateways();

/** A new guest in the room, connected to the gateway with this index or to the public address. */
async function join(room: string, gateway?: number): Promise<{ client: TestClient; head: number }> {
  const client = await connectGuest(gateway);
  const { head } = await client.ok('room:join', { room });
  return { client, head };
}

async function connectGuest(gateway?: number): Promise<TestClient> {
  const { endpoint } = cluster;
  const address = gateway === undefined ? endpoint : gateways[gateway]?.address;
  assert(address !== undefined);
  const { token } = await createGuest(endpoint);
  const client = await connect(address, { token });
  open.push(client);
  return client;
}

describe('the order of a room', () => {
  test('is the same for clients on different gateways, also for their own messages', async () => {
    const room = newRoom();
    const { client: a } = await join(room, 0);
    const { client: b } = await join(room, 1);
    for (let index = 0; index < 10; index++) {
      const sender = index % 2 === 0 ? a : b;
      await sender.ok('message:send', { room, clientMsgId: newId(), text: `message ${index}` });
    }
    await a.until(room, 10);
    await b.until(room, 10);
    assert.deepEqual(a.entries(room), b.entries(room));
    assert.deepEqual(a.seqs(room), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('is that of entries with the documented shape', async () => {
    const room = newRoom();
    const { client } = await join(room);
    const clientMsgId = newId();
    const text = '  안녕 👋 <b>&amp;</b>\u0000\n ';
    const before = Date.now();
    const { epoch, seq, ts, duplicate } = await client.ok('message:send', { room, clientMsgId, text });
    const [entry] = await client.until(room, 1);
    const { id, name } = client.session.user;
    assert.deepEqual(entry, { room, epoch, seq, ts, n: 1, type: 'text', from: { id, name }, clientMsgId, text });
    assert.equal(duplicate, false);
    assert.equal(seq, 1);
    assert(epoch.length >= 1 && epoch.length <= 32);
    assert(Math.abs(ts - before) < 60_000, 'ts must be in milliseconds');
  });

  // More senders finish sooner: each user may send 100 messages at once, then 20 a second.
  test('has no gap, duplicate or reordering in 10,000 messages of 40 senders, half of them members', async (t) => {
    const room = newRoom('busy');
    const senders = await Promise.all(Array.from({ length: 20 }, (_, index) => join(room, index % 2)));
    const outsiders = await Promise.all(Array.from({ length: 20 }, (_, index) => connectGuest(index % 2)));
    const readers = await Promise.all([join(room, 0), join(room, 1), join(room)]);
    const startedMs = Date.now();
    const clients = [...senders.map(({ client }) => client), ...outsiders];
    const sent = await Promise.all(clients.map((client, index) => sendMany(client, room, 250, `sender-${index}`)));
    t.diagnostic(`sent in ${Date.now() - startedMs} ms`);
    const members = [...senders, ...readers];
    await poll(
      'every member to receive the newest entry',
      () => members.every(({ client }) => client.entries(room).at(-1)?.seq === 10_000),
      { timeoutMs: 10_000 },
    );
    const reader = readers[0];
    assert(reader !== undefined);
    const history = await readHistory(reader.client, room);
    assert.equal(history.length, 10_000);
    const violations = checkRoom({
      history,
      members: members.map(({ client, head }, index) => ({
        member: `member ${index}`,
        floor: head,
        entries: client.entries(room),
      })),
      sends: sent.flat(),
      complete: true,
    });
    assert.deepEqual(violations, []);
    assert(
      sent.flat().every(({ outcome }) => typeof outcome === 'number'),
      'every message must be acknowledged',
    );
  });
});

describe('a clientMsgId', () => {
  test('on two gateways stores one message, and both acknowledgements carry its seq', async () => {
    const { endpoint } = cluster;
    const [first, second] = gateways;
    assert(first !== undefined && second !== undefined);
    const { token } = await createGuest(endpoint);
    const a = await connect(first.address, { token });
    const b = await connect(second.address, { token });
    open.push(a, b);
    const room = newRoom();
    await a.ok('room:join', { room });
    for (let index = 0; index < 20; index++) {
      const message = { room, clientMsgId: newId(), text: `once ${index}` };
      const [one, two] = await Promise.all([a.ok('message:send', message), b.ok('message:send', message)]);
      assert.equal(one.seq, two.seq);
      assert.equal(one.ts, two.ts);
      assert.deepEqual([one.duplicate, two.duplicate].sort(), [false, true]);
      const again = await b.ok('message:send', message);
      assert.deepEqual(again, { ...one, duplicate: true });
    }
    await a.until(room, 20);
    assert.deepEqual(
      (await readHistory(b, room)).map(({ seq, text }) => ({ seq, text })),
      Array.from({ length: 20 }, (_, index) => ({ seq: index + 1, text: `once ${index}` })),
    );
    assert.equal(a.entries(room).length, 20);
  });

  test('with another text is a conflict, and nothing is stored', async () => {
    const room = newRoom();
    const { client } = await join(room);
    const clientMsgId = newId();
    await client.ok('message:send', { room, clientMsgId, text: 'one' });
    await client.refused('conflict', 'message:send', { room, clientMsgId, text: 'two' });
    await client.refused('conflict', 'message:send', { room, clientMsgId, text: 'one ' });
    assert.equal((await readHistory(client, room)).length, 1);
  });

  test('may be used by another user and in another room', async () => {
    const rooms = [newRoom(), newRoom()] as const;
    const { client: a } = await join(rooms[0]);
    const { client: b } = await join(rooms[0]);
    await a.ok('room:create', { room: rooms[1] });
    const clientMsgId = 'shared id';
    const acks = [
      await a.ok('message:send', { room: rooms[0], clientMsgId, text: 'of a' }),
      await b.ok('message:send', { room: rooms[0], clientMsgId, text: 'of b' }),
      await a.ok('message:send', { room: rooms[1], clientMsgId, text: 'elsewhere' }),
    ];
    assert.deepEqual(
      acks.map(({ seq, duplicate }) => ({ seq, duplicate })),
      [
        { seq: 1, duplicate: false },
        { seq: 2, duplicate: false },
        { seq: 1, duplicate: false },
      ],
    );
  });

  test('is stored with the server’s from, seq, ts and epoch, not with forged ones', async () => {
    const room = newRoom();
    const { client } = await join(room);
    const forged = { from: { id: 'root', name: 'Root' }, seq: 99, ts: 1, epoch: 'x', type: 'room.kick', user: 'root' };
    const ack = await client.raw('message:send', { room, clientMsgId: newId(), text: 'mine', ...forged });
    assert(ack.ok && ack.data.seq === 1);
    const [entry] = await client.until(room, 1);
    assert.equal(entry?.from.id, client.session.user.id);
    assert.equal(entry.seq, 1);
    assert.equal(entry.type, 'text');
    assert.notEqual(entry.epoch, 'x');
  });
});
