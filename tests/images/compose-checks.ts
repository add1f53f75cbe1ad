/**
 * Runs docker-compose.yml as a real cluster with clients, while gateways start, stop and crash.
 * Started by `npm run test:images`.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Position } from '@maru/protocol';
import { checkRoom, type Sent } from '@maru/testkit/checker/check-room';
import { connect, type TestClient } from '../support/client.ts';
import { poll, sleep } from '../support/poll.ts';
import { readHistory } from '../support/sender.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';
import { type ComposeProject, composeProject, docker, inspect } from './docker.ts';

const CLIENTS = 12;
/** How often each client sends while the gateways change. */
const SEND_EVERY_MS = 400;
const RECONNECT_TIMEOUT_MS = 30_000;
/** `stop_grace_period` of a gateway in docker-compose.yml. */
const GRACE_MS = 50_000;
const POLLS = 20;

const room = newRoom('compose');
const floors = new Map<TestClient, Position>();
const sends: Sent[] = [];
let cluster: ComposeProject;
let clients: TestClient[] = [];

/**
 * A client that behaves like an application: it resumes from its positions, and Socket.IO
 * reconnects. Every third client uses long-polling only.
 */
async function follow(index: number): Promise<TestClient> {
  const { token } = await createGuest(cluster.endpoint);
  const client = await connect(cluster.endpoint, {
    token,
    reconnection: true,
    transports: index % 3 === 0 ? ['polling'] : ['websocket'],
    resume: (own: TestClient) => {
      const floor = floors.get(own);
      return floor === undefined ? {} : { [room]: floor, ...own.positions([room]) };
    },
  });
  const { head, epoch } = await client.ok('room:join', { room });
  floors.set(client, { epoch, seq: head });
  return client;
}

/** Retries with the same clientMsgId until the message is stored. */
async function sendSurely(client: TestClient): Promise<void> {
  const clientMsgId = newId();
  const send: Sent = {
    user: client.session.user.id,
    connection: client.session.user.id,
    clientMsgId,
    text: `text of ${clientMsgId}`,
    outcome: 'unknown',
    retried: true,
  };
  sends.push(send);
  await poll(
    'a message to be stored',
    async () => {
      if (!client.connected) return false;
      const ack = await Promise.race([
        client.request('message:send', { room, clientMsgId, text: send.text }).catch(() => undefined),
        sleep(3_000),
      ]);
      if (ack === undefined || !ack.ok) return false;
      send.outcome = ack.data.seq;
      return true;
    },
    { timeoutMs: 2 * RECONNECT_TIMEOUT_MS, everyMs: 100 },
  );
}

/** All clients send during the work, and shortly before and after it. */
async function whileSending<T>(work: () => Promise<T>): Promise<T> {
  let working = true;
  const senders = clients.map(async (client) => {
    while (working) await Promise.all([sendSurely(client), sleep(SEND_EVERY_MS)]);
  });
  await sleep(2 * SEND_EVERY_MS);
  try {
    return await work();
  } finally {
    await sleep(5 * SEND_EVERY_MS);
    working = false;
    await Promise.all(senders);
  }
}

/** No client misses an entry, or received one twice or out of order. */
async function assertConsistent(): Promise<void> {
  const reader = clients[1];
  assert(reader !== undefined);
  const history = await readHistory(reader, room);
  await poll(
    'every member to receive the newest entry',
    () => clients.every((client) => client.entries(room).at(-1)?.seq === history.at(-1)?.seq),
    { timeoutMs: RECONNECT_TIMEOUT_MS },
  );
  const members = clients.map((client, index) => ({
    member: `member-${index}`,
    floor: floors.get(client)?.seq ?? 0,
    entries: client.entries(room),
  }));
  assert.deepEqual(checkRoom({ history, members, sends, complete: true }), []);
}

const gatewaysOf = (list: readonly TestClient[]) =>
  new Set(list.filter(({ connected }) => connected).map(({ socket }) => socket.io.engine.id?.split('.')[0]));
const reconnected = (gateways: number) =>
  poll(
    'every client to reconnect',
    () => clients.every(({ connected }) => connected) && gatewaysOf(clients).size <= gateways,
    {
      timeoutMs: RECONNECT_TIMEOUT_MS,
    },
  );

before(async () => {
  cluster = await composeProject();
  await cluster.compose('up', '--detach', '--wait');
  clients = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => follow(index)));
});
after(async () => {
  for (const client of clients) client.close();
  await cluster?.remove();
});

describe('containers', () => {
  test('are two gateways behind one address, and clients can chat', async () => {
    assert.equal(gatewaysOf(clients).size, 2);
    await whileSending(() => sleep(1_000));
    await assertConsistent();
  });

  test('have a read-only root, no capabilities and no new privileges', async () => {
    for (const service of ['redis', 'postgres', 'presence', 'archiver', 'gateway', 'nginx'])
      for (const id of await cluster.containers(service)) {
        const { HostConfig } = await inspect(id);
        assert.equal(HostConfig.ReadonlyRootfs, true, service);
        assert.deepEqual(HostConfig.CapDrop, ['ALL'], service);
        assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'], service);
      }
  });

  test('have no secret in their environment', async () => {
    const secrets = await cluster.compose('run', '--rm', '--no-deps', 'secrets', '--show');
    const jwtSecret = /HS256\):\s+(\S{40,})/.exec(secrets)?.[1];
    assert(jwtSecret !== undefined);
    for (const id of await cluster.containers('gateway'))
      assert.ok(!JSON.stringify(await inspect(id)).includes(jwtSecret));
  });

  test('find a polling session through either of two nginx containers, without a cookie', async () => {
    const edges = [cluster.endpoint, await cluster.addEdge()];
    await poll(
      'the second nginx to answer',
      async () => (await fetch(`${edges[1]}/api/v1/rooms`).catch(() => null))?.status === 401,
      {
        timeoutMs: RECONNECT_TIMEOUT_MS,
      },
    );
    const { token } = await createGuest(cluster.endpoint);
    const address = '/socket.io/?EIO=4&transport=polling';
    const opened = await (await fetch(`${edges[0]}${address}`)).text();
    const { sid } = JSON.parse(opened.slice(1));
    const post = (edge: number, body: string) =>
      fetch(`${edges[edge]}${address}&sid=${sid}`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
    const get = (edge: number) => fetch(`${edges[edge]}${address}&sid=${sid}`);
    assert.equal((await post(1, `40${JSON.stringify({ token })}`)).status, 200);
    // A client must not send before this answer.
    assert.match(await (await get(0)).text(), /^40/);
    for (let index = 0; index < POLLS; index++) {
      // The answer to a request without a room is `invalid`, so each poll returns a packet.
      assert.equal((await post(index % 2, `42${index}["history:read",{}]`)).status, 200);
      const polled = await get((index + 1) % 2);
      assert.equal(polled.status, 200, await polled.text());
    }
  });

  test('refuse a forged session id', async () => {
    const sid = `${'0123456789abcdef'.repeat(2)}.forged`;
    const answer = await fetch(`${cluster.endpoint}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    assert.equal(answer.status, 400);
  });
});

describe('a cluster of containers', () => {
  test('scales to four gateways without a lost message, and new clients reach the new gateways', async () => {
    await whileSending(() => cluster.compose('up', '--detach', '--wait', '--no-recreate', '--scale', 'gateway=4'));
    assert.equal((await cluster.containers('gateway')).length, 4);
    const added: TestClient[] = [];
    await poll(
      'clients on all four gateways',
      async () => {
        const { token } = await createGuest(cluster.endpoint);
        added.push(await connect(cluster.endpoint, { token }));
        return gatewaysOf([...clients, ...added]).size === 4;
      },
      { timeoutMs: RECONNECT_TIMEOUT_MS, everyMs: 200 },
    );
    for (const client of added) client.close();
    await assertConsistent();
  });

  test('loses no message when two gateways are killed under load', async () => {
    const [first = '', second = ''] = await cluster.containers('gateway');
    await whileSending(async () => {
      await docker(['kill', '--signal', 'KILL', first]);
      await sleep(3_000);
      await docker(['kill', '--signal', 'KILL', second]);
      await sleep(3_000);
    });
    await reconnected(2);
    await assertConsistent();
  });

  test('loses no message when a gateway is stopped, and the gateway exits by itself', async (t) => {
    await cluster.compose('up', '--detach', '--wait', '--no-recreate', '--scale', 'gateway=4');
    const [leaving = ''] = await cluster.containers('gateway');
    const startedMs = Date.now();
    await whileSending(() => docker(['stop', '--time', String(GRACE_MS / 1_000), leaving]));
    const { State } = await inspect(leaving);
    t.diagnostic(`the gateway exited ${Date.now() - startedMs} ms after the load began`);
    assert.equal(State.ExitCode, 0);
    await assertConsistent();
  });

  test('archives messages, also after PostgreSQL was killed, and finds them', async () => {
    const reader = clients[1] as TestClient;
    const searched = newRoom('compose');
    await reader.ok('room:join', { room: searched });
    for (const round of ['before', 'after']) {
      const query = `needle${round}${Date.now()}`;
      if (round === 'after') {
        const [postgres = ''] = await cluster.containers('postgres');
        await docker(['kill', '--signal', 'KILL', postgres]);
        const ack = await reader.request('search', { query, room: searched });
        assert.equal(ack.ok ? 'ok' : ack.error.code, 'unavailable');
        await cluster.compose('up', '--detach', '--wait', '--no-recreate', 'postgres');
      }
      const { seq } = await reader.ok('message:send', {
        room: searched,
        clientMsgId: newId(),
        text: `a ${query} in the hay`,
      });
      await poll(
        'the message to be found',
        async () => {
          const found = await reader.request('search', { query, room: searched });
          return found.ok && found.data.messages[0]?.seq === seq;
        },
        { timeoutMs: RECONNECT_TIMEOUT_MS, everyMs: 500 },
      );
    }
  });

  test('keeps its log when Redis is restarted', async () => {
    const before = await readHistory(clients[1] as TestClient, room);
    await cluster.compose('restart', 'redis');
    await poll(
      'Redis to answer',
      async () => {
        const ack = await (clients[1] as TestClient)
          .request('history:read', { room, after: 0, limit: 1 })
          .catch(() => null);
        return ack?.ok === true;
      },
      { timeoutMs: RECONNECT_TIMEOUT_MS, everyMs: 200 },
    );
    const history = await readHistory(clients[1] as TestClient, room);
    assert.deepEqual(
      history.slice(0, before.length).map(({ seq, text }) => [seq, text]),
      before.map(({ seq, text }) => [seq, text]),
    );
    await whileSending(() => sleep(1_000));
    await assertConsistent();
  });
});
