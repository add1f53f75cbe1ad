/** The compose file for real: a cluster of its own, people in it, gateways that come, leave and die. Run by `npm run test:images`. */
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
/** Each client sends once in so long while something happens to the gateways. */
const SEND_EVERY_MS = 400;
const BACK_WITHIN_MS = 30_000;
/** `stop_grace_period` of a gateway in docker-compose.yml. */
const GRACE_MS = 50_000;
const POLLS = 20;

const room = newRoom('compose');
const floors = new Map<TestClient, Position>();
const sends: Sent[] = [];
let cluster: ComposeProject;
let clients: TestClient[] = [];

/** A client as applications write it: it carries its positions and lets Socket.IO reconnect. Every third one only polls. */
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

/** Sends until it is stored, with the same id, as the contract allows. */
async function sendSurely(client: TestClient): Promise<void> {
  const clientMsgId = newId();
  const send: Sent = {
    user: client.session.user.id,
    connection: client.session.user.id,
    clientMsgId,
    text: `said ${clientMsgId}`,
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
    { timeoutMs: 2 * BACK_WITHIN_MS, everyMs: 100 },
  );
}

/** Everybody sends for as long as the work takes, and a moment before and after it. */
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

/** Nothing is missing, doubled or swapped, for anybody. */
async function assertWhole(): Promise<void> {
  const reader = clients[1];
  assert(reader !== undefined);
  const history = await readHistory(reader, room);
  await poll(
    'every member to have the newest entry',
    () => clients.every((client) => client.entries(room).at(-1)?.seq === history.at(-1)?.seq),
    { timeoutMs: BACK_WITHIN_MS },
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
const backOn = (gateways: number) =>
  poll(
    'everybody to be back',
    () => clients.every(({ connected }) => connected) && gatewaysOf(clients).size <= gateways,
    {
      timeoutMs: BACK_WITHIN_MS,
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

describe('a cluster of containers', () => {
  test('is two gateways behind one address, and chats', async () => {
    assert.equal(gatewaysOf(clients).size, 2);
    await whileSending(() => sleep(1_000));
    await assertWhole();
  });

  test('lets nothing write into an image, nor gain a right', async () => {
    for (const service of ['redis', 'presence', 'gateway', 'nginx'])
      for (const id of await cluster.containers(service)) {
        const { HostConfig } = await inspect(id);
        assert.equal(HostConfig.ReadonlyRootfs, true, service);
        assert.deepEqual(HostConfig.CapDrop, ['ALL'], service);
        assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'], service);
      }
  });

  test('keeps a secret of every container’s environment to files', async () => {
    const secrets = await cluster.compose('run', '--rm', '--no-deps', 'secrets', '--show');
    const jwtSecret = /HS256\):\s+(\S{40,})/.exec(secrets)?.[1];
    assert(jwtSecret !== undefined);
    for (const id of await cluster.containers('gateway'))
      assert.ok(!JSON.stringify(await inspect(id)).includes(jwtSecret));
  });

  test('leads a polling session through any of two edges to its gateway, without a cookie', async () => {
    const edges = [cluster.endpoint, await cluster.addEdge()];
    await poll(
      'the second edge',
      async () => (await fetch(`${edges[1]}/api/v1/rooms`).catch(() => null))?.status === 401,
      {
        timeoutMs: BACK_WITHIN_MS,
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
    // Nothing may be sent before this answer.
    assert.match(await (await get(0)).text(), /^40/);
    for (let index = 0; index < POLLS; index++) {
      // A request without a room is answered with `invalid`, so each poll has something to bring.
      assert.equal((await post(index % 2, `42${index}["history:read",{}]`)).status, 200);
      const polled = await get((index + 1) % 2);
      assert.equal(polled.status, 200, await polled.text());
    }
  });

  test('does not find a forged session on any gateway', async () => {
    const sid = `${'0123456789abcdef'.repeat(2)}.forged`;
    const answer = await fetch(`${cluster.endpoint}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    assert.equal(answer.status, 400);
  });

  test('grows to four without losing anything, and new people reach the new ones', async () => {
    await whileSending(() => cluster.compose('up', '--detach', '--wait', '--no-recreate', '--scale', 'gateway=4'));
    assert.equal((await cluster.containers('gateway')).length, 4);
    const added: TestClient[] = [];
    await poll(
      'people on all four',
      async () => {
        const { token } = await createGuest(cluster.endpoint);
        added.push(await connect(cluster.endpoint, { token }));
        return gatewaysOf([...clients, ...added]).size === 4;
      },
      { timeoutMs: BACK_WITHIN_MS, everyMs: 200 },
    );
    for (const client of added) client.close();
    await assertWhole();
  });

  test('loses nothing when two gateways are killed under load', async () => {
    const [first = '', second = ''] = await cluster.containers('gateway');
    await whileSending(async () => {
      await docker(['kill', '--signal', 'KILL', first]);
      await sleep(3_000);
      await docker(['kill', '--signal', 'KILL', second]);
      await sleep(3_000);
    });
    await backOn(2);
    await assertWhole();
  });

  test('loses nothing when a gateway is stopped, which hands its people over and ends by itself', async (t) => {
    await cluster.compose('up', '--detach', '--wait', '--no-recreate', '--scale', 'gateway=4');
    const [leaving = ''] = await cluster.containers('gateway');
    const startedMs = Date.now();
    await whileSending(() => docker(['stop', '--time', String(GRACE_MS / 1_000), leaving]));
    const { State } = await inspect(leaving);
    t.diagnostic(`the gateway was gone ${Date.now() - startedMs} ms after the load began`);
    assert.equal(State.ExitCode, 0);
    await assertWhole();
  });

  test('keeps its log when Redis is restarted', async () => {
    const before = await readHistory(clients[1] as TestClient, room);
    await cluster.compose('restart', 'redis');
    await poll(
      'the store to be back',
      async () => {
        const ack = await (clients[1] as TestClient)
          .request('history:read', { room, after: 0, limit: 1 })
          .catch(() => null);
        return ack?.ok === true;
      },
      { timeoutMs: BACK_WITHIN_MS, everyMs: 200 },
    );
    const history = await readHistory(clients[1] as TestClient, room);
    assert.deepEqual(
      history.slice(0, before.length).map(({ seq, text }) => [seq, text]),
      before.map(({ seq, text }) => [seq, text]),
    );
    await whileSending(() => sleep(1_000));
    await assertWhole();
  });
});
