import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { LIMITS, type Position } from '@maru/protocol';
import { TestClient as Client, connect, type TestClient } from '../support/client.ts';
import type { ProcessStatus } from '../support/cluster.ts';
import { poll, sleep } from '../support/poll.ts';
import { readHistory } from '../support/sender.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, mintToken, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const open: TestClient[] = [];
after(() => {
  for (const client of open) client.close();
});

async function guestClient(gateway?: number): Promise<TestClient> {
  const { endpoint } = cluster;
  const { token } = await createGuest(endpoint);
  const address = gateway === undefined ? endpoint : (await cluster.gateways())[gateway]?.address;
  const client = await connect(address ?? endpoint, { token });
  open.push(client);
  return client;
}

describe('the session', () => {
  test('contains the user, a session id, the limits and the resumed rooms', async () => {
    const { endpoint } = cluster;
    const guest = await createGuest(endpoint, '민아');
    const client = await connect(endpoint, { token: guest.token });
    open.push(client);
    const { user, sessionId, limits, rooms } = client.session;
    assert.equal(user.id, guest.user.id);
    assert.equal(user.name, '민아');
    assert.match(sessionId, /^\S+$/);
    assert.deepEqual(rooms, {});
    // The contract states the limits but not their names, so look for each default among the
    // values.
    const values = Object.values(limits);
    for (const limit of [20, 100, 50, 200, 4_000, LIMITS.textBytesMax])
      assert(values.includes(limit), `${limit} is not in session.limits: ${JSON.stringify(limits)}`);
  });

  for (const transport of ['websocket', 'polling'] as const)
    test(`is the first event, and earlier requests wait for it in the order sent, over ${transport}`, async () => {
      const [first, second] = await cluster.gateways();
      assert(first !== undefined && second !== undefined);
      const room = newRoom();
      const resume = await positionsOf(first, [room, ...Array.from({ length: 150 }, () => newRoom('held'))]);
      const { token } = await createGuest(cluster.endpoint);
      // This gateway does not know the rooms yet, so it must ask Redis for each of them.
      const client = new Client(second.address, { token, resume, transports: [transport] });
      open.push(client);
      const acks: Array<Promise<{ seq: number }>> = [];
      const texts: string[] = [];
      const send = (text: string) => {
        texts.push(text);
        acks.push(client.ok('message:send', { room, clientMsgId: newId(), text }));
      };
      const sent = new Promise<void>((resolve, reject) => {
        client.socket.once('connect_error', reject);
        client.socket.once('connect', () => {
          assert.deepEqual(client.received, [], 'the session must wait for the rooms');
          for (let index = 0; index < 50; index++) send(`early ${index}`);
        });
        // Early requests, which were held, may still be in progress. Late ones must not overtake
        // them.
        client.socket.once('session', () => {
          for (let index = 0; index < 10; index++) send(`late ${index}`);
          resolve();
        });
      });
      const release = await pauseRedis();
      try {
        client.socket.connect();
        await poll('the connection', () => acks.length >= 50);
        // Let the requests reach the gateway. If they arrive later, the test still passes.
        await sleep(200);
      } finally {
        release();
      }
      await sent;
      assert.deepEqual(
        (await Promise.all(acks)).map(({ seq }) => seq),
        Array.from({ length: 60 }, (_, index) => index + 1),
      );
      // Only a notice about an unhealthy store may precede the session. On a slow machine the
      // stopped Redis may cause one.
      const names = client.received.map(({ name }) => name);
      assert.equal(
        names.find((name) => name !== 'notice'),
        'session',
        'the session must precede acknowledgements and entries',
      );
      assert.equal(client.payloads('session').length, 1);
      assert.equal(Object.keys(client.session.rooms).length, 151);
      const entries = await client.until(room, 60);
      assert.deepEqual(
        entries.map(({ text }) => text),
        texts,
      );
    });
});

/** Pauses Redis until the returned function is called. A resume cannot finish before that. */
async function pauseRedis(): Promise<() => void> {
  const pid = (await cluster.status()).processes.find(({ kind }) => kind === 'redis')?.pid;
  assert(pid != null);
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}

/** Creates public rooms and returns the positions of their heads. */
async function positionsOf(gateway: ProcessStatus, rooms: string[]): Promise<Record<string, Position>> {
  const maker = await connect(gateway.address, { token: (await createGuest(cluster.endpoint)).token });
  const joined = await Promise.all(rooms.map((room) => maker.patient('room:join', { room })));
  maker.close();
  return Object.fromEntries(joined.map(({ room, epoch, head }) => [room, { epoch, seq: head }]));
}

describe('one connection', () => {
  test('receives the answer to a join before live entries, which begin at head + 1', async () => {
    const room = newRoom();
    const sender = await guestClient(0);
    await sender.ok('room:create', { room });
    let sending = true;
    let sent = 0;
    const stream = (async () => {
      while (sending) {
        await sender.patient('message:send', { room, clientMsgId: newId(), text: `m ${sent++}` });
        await sleep(10);
      }
    })();
    for (const gateway of [0, 1, 0, 1, 0, 1]) {
      const client = await guestClient(gateway);
      const { head, messages, recovered } = await client.ok('room:join', { room, limit: 5 });
      assert.equal(recovered, false);
      const entries = await client.until(room, 3);
      const names = client.received.map(({ name }) => name);
      assert(names.indexOf('ack room:join') < names.indexOf('message'));
      assert.deepEqual(
        entries.slice(0, 3).map(({ seq }) => seq),
        [head + 1, head + 2, head + 3],
      );
      const expected = Math.min(5, head);
      assert.deepEqual(
        messages.map(({ seq }) => seq),
        Array.from({ length: expected }, (_, index) => head - expected + 1 + index),
      );
    }
    sending = false;
    await stream;
  });

  test('has its messages stored in the order sent', async () => {
    const room = newRoom();
    for (const transports of [['websocket'], ['polling']] as const) {
      const { endpoint } = cluster;
      const { token } = await createGuest(endpoint);
      const client = await connect(endpoint, { token, transports: [...transports] });
      open.push(client);
      const { head } = await client.ok('room:join', { room });
      const acks = await Promise.all(
        Array.from({ length: 80 }, (_, index) =>
          client.ok('message:send', { room, clientMsgId: newId(), text: `${transports[0]} ${index}` }),
        ),
      );
      assert.deepEqual(
        acks.map(({ seq }) => seq),
        Array.from({ length: 80 }, (_, index) => head + index + 1),
      );
    }
  });

  for (const transport of ['websocket', 'polling'] as const)
    test(`may send to a new room directly after the join that creates it, over ${transport}`, async () => {
      const { endpoint, jwtSecret } = cluster;
      // The limit of rooms of a guest is lower.
      const token = mintToken(jwtSecret, { sub: newId(), name: 'Mina' });
      const client = new Client(endpoint, { token, transports: [transport] });
      open.push(client);
      const rooms: string[] = [];
      const joinAndSend = async () => {
        const room = newRoom();
        rooms.push(room);
        const joined = client.ok('room:join', { room });
        const stored = client.ok('message:send', { room, clientMsgId: newId(), text: 'directly after' });
        assert.equal((await joined).head, 0);
        assert.equal((await stored).seq, 1);
      };
      // One pair before the session, the others after it.
      const first = new Promise<void>((resolve, reject) => {
        client.socket.once('connect_error', reject);
        client.socket.once('connect', () => void joinAndSend().then(resolve, reject));
      });
      client.socket.connect();
      await first;
      await Promise.all(Array.from({ length: 10 }, joinAndSend));
      for (const room of rooms) {
        await client.until(room, 1);
        assert.deepEqual(client.seqs(room), [1]);
      }
      const names = client.received.map(({ name }) => name);
      assert.equal(names[0], 'session');
      assert(names.indexOf('ack room:join') < names.indexOf('message'), names.join(', '));
    });
});

describe('a connection that joins and leaves rooms', () => {
  test('gets the answer of a first join when it joins a room again, and no live entry twice', async () => {
    const room = newRoom();
    const client = await guestClient();
    await client.ok('room:join', { room });
    for (const text of ['a', 'b', 'c']) await client.ok('message:send', { room, clientMsgId: newId(), text });
    await client.until(room, 3);
    const again = await client.ok('room:join', { room });
    assert.equal(again.head, 3);
    await client.ok('message:send', { room, clientMsgId: newId(), text: 'd' });
    await client.until(room, 4);
    assert.deepEqual(client.seqs(room), [1, 2, 3, 4]);
    assert.deepEqual(
      again.messages.map(({ seq }) => seq),
      [1, 2, 3],
    );
  });

  test('receives nothing from a room after leaving it, and other rooms are unaffected', async () => {
    const [left, kept] = [newRoom(), newRoom()];
    const client = await guestClient(0);
    const other = await guestClient(1);
    for (const room of [left, kept]) await client.ok('room:join', { room });
    assert.deepEqual(await client.ok('room:leave', { room: left }), {});
    assert.deepEqual(await client.ok('room:leave', { room: newRoom() }), {});
    for (const room of [left, kept]) await other.ok('message:send', { room, clientMsgId: newId(), text: 'hello' });
    await client.until(kept, 1);
    assert.deepEqual(client.seqs(left), []);
    // A public room is readable without membership.
    assert.equal((await readHistory(client, left)).length, 1);
    const back = await client.ok('room:join', { room: left });
    assert.deepEqual(
      back.messages.map(({ text }) => text),
      ['hello'],
    );
  });

  test('may send to and read a room that it has not joined, and receives no entries', async () => {
    const room = newRoom();
    const [inside, outside] = [await guestClient(0), await guestClient(1)];
    await inside.ok('room:join', { room });
    await outside.ok('message:send', { room, clientMsgId: newId(), text: 'from outside' });
    await inside.until(room, 1);
    assert.equal((await readHistory(outside, room)).length, 1);
    assert.equal(outside.entries(room).length, 0);
  });
});

describe('rooms', () => {
  test('are owned by the user who creates them, and a second create is a conflict', async () => {
    const room = newRoom();
    const [maker, other] = [await guestClient(0), await guestClient(1)];
    const made = await maker.ok('room:create', { room, title: '우리 방' });
    assert.deepEqual(made, { room, title: '우리 방', visibility: 'public', role: 'owner' });
    await maker.refused('conflict', 'room:create', { room });
    await other.refused('conflict', 'room:create', { room });
    assert.equal((await maker.ok('room:join', { room })).role, 'owner');
    assert.equal((await other.ok('room:join', { room })).role, 'member');
    const { members } = await other.ok('room:members', { room });
    assert.deepEqual(members, [{ user: maker.session.user.id, role: 'owner' }]);
  });

  test('are created by the first join, so a later create is a conflict', async () => {
    const room = newRoom();
    const client = await guestClient();
    const joined = await client.ok('room:join', { room });
    assert.deepEqual(
      { ...joined, epoch: typeof joined.epoch },
      {
        ...{ room, role: 'member', visibility: 'public', title: '', epoch: 'string' },
        ...{ head: 0, n: 0, first: 1, recovered: false, messages: [] },
      },
    );
    await client.refused('conflict', 'room:create', { room });
  });

  test('are limited to 200 for each connection', async () => {
    const client = await guestClient();
    const prefix = newRoom('many');
    for (let index = 0; index < 200; index++)
      await client.patient('room:join', { room: `${prefix}-${index}`, limit: 1 });
    // `unhurried` waits while the event limit refuses, so that the answer is about the room.
    const refusal = await client.unhurried('room:join', { room: `${prefix}-more` });
    assert.equal(refusal.ok ? 'joined' : refusal.error.code, 'conflict', 'the 201st room must be refused');
    await client.patient('room:join', { room: `${prefix}-1` });
    await client.patient('room:leave', { room: `${prefix}-0` });
    await client.patient('room:join', { room: `${prefix}-more` });
  });
});
