import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Position } from '@maru/protocol';
import { checkRoom, type Sent } from '@maru/testkit/checker/check-room';
import { connect, type TestClient } from '../support/client.ts';
import { type Cluster, isAlive, startCluster } from '../support/cluster.ts';
import { poll, sleep } from '../support/poll.ts';
import { readHistory } from '../support/sender.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const CLIENTS = 24;
const room = newRoom('elastic');
let cluster: Cluster;
let clients: TestClient[] = [];
const sends: Sent[] = [];

/** Like an application, the client resumes from its positions, and Socket.IO reconnects. */
async function follow(): Promise<TestClient> {
  const { token } = await createGuest(cluster.endpoint);
  const client = await connect(cluster.endpoint, { token, reconnection: true, resume: positions });
  const { head, epoch } = await client.ok('room:join', { room });
  floors.set(client, { head, epoch });
  return client;
}
const floors = new Map<TestClient, { head: number; epoch: string }>();
function positions(client: TestClient): Record<string, Position> {
  const floor = floors.get(client);
  if (floor === undefined) return {};
  return { [room]: { epoch: floor.epoch, seq: floor.head }, ...client.positions([room]) };
}

/** Retries with the same clientMsgId until the message is stored. */
async function sendSurely(client: TestClient, text: string): Promise<void> {
  const send: Sent = {
    user: client.session.user.id,
    connection: `${client.session.user.id} ${client.connects}`,
    clientMsgId: newId(),
    text,
    outcome: 'unknown',
    retried: true,
  };
  sends.push(send);
  await poll(
    'the message to be stored',
    async () => {
      if (!client.connected) return false;
      const ack = await Promise.race([
        client.request('message:send', { room, clientMsgId: send.clientMsgId, text }),
        sleep(2_000),
      ]);
      if (ack === undefined || !ack.ok) return false;
      send.outcome = ack.data.seq;
      return true;
    },
    { timeoutMs: 20_000, everyMs: 50 },
  );
}

const nodesOf = (clients: TestClient[]) => new Set(clients.map((client) => client.socket.io.engine.id?.split('.')[0]));

before(async () => {
  cluster = await startCluster({ gateways: 2 });
  clients = await Promise.all(Array.from({ length: CLIENTS }, follow));
});
after(async () => {
  for (const client of clients) client.close();
  await cluster?.stop();
});

describe('a cluster whose processes change', () => {
  test('spreads new clients over its gateways', () => {
    assert.equal(nodesOf(clients).size, 2);
  });

  test('routes new clients to an added gateway within seconds, and disconnects no client', async () => {
    const before = clients.map((client) => client.socket.id);
    await cluster.add();
    const gateways = await cluster.gateways();
    assert.equal(gateways.length, 3);
    const added = gateways.at(-1);
    const late: TestClient[] = [];
    await poll(
      'a new client to reach the new gateway',
      async () => {
        const client = await follow();
        late.push(client);
        return client.socket.io.engine.id?.startsWith(`${added?.name}.`);
      },
      { timeoutMs: 10_000, everyMs: 50 },
    );
    clients.push(...late);
    for (const client of clients.slice(0, 6)) await sendSurely(client, 'after the addition');
    const head = sends.length;
    await poll('every client to receive the message', () =>
      clients.every((client) => floors.get(client)?.head === head || client.seqs(room).at(-1) === head),
    );
    assert.deepEqual(
      clients.slice(0, CLIENTS).map((client) => client.socket.id),
      before,
    );
    for (const client of clients) assert.deepEqual(client.disconnects, []);
  });

  test('resumes the clients of a killed gateway on other gateways', async () => {
    const [victim] = await cluster.gateways();
    assert(victim?.pid != null);
    const hit = clients.filter((client) => client.socket.io.engine.id?.startsWith(`${victim.name}.`));
    const spared = clients.filter((client) => !hit.includes(client));
    assert(hit.length > 0 && spared.length > 0);
    const sending = (async () => {
      for (let index = 0; index < 40; index++) {
        const client = spared[index % spared.length];
        if (client !== undefined) await sendSurely(client, `during the kill ${index}`);
        await sleep(20);
      }
    })();
    await cluster.kill(victim.name);
    assert.equal(isAlive(victim.pid), false);
    await poll(
      'every client to reconnect',
      () => clients.every((client) => client.connected && client.payloads('session').length === client.connects),
      // Socket.IO waits 1 s ± 50 % before the first attempt, 2 s ± 50 % before the second, and at
      // most 7.5 s.
      { timeoutMs: 45_000 },
    );
    await sending;
    // A client reconnects more than once if nginx has not yet noticed the failure. The last test
    // checks what each client received.
    for (const client of hit) assert(client.connects >= 2, `connected ${client.connects} times`);
    for (const client of spared)
      assert.deepEqual(client.disconnects, [], 'clients of other gateways must stay connected');
    assert.equal(nodesOf(hit).has(victim.name), false);
  });
});

describe('a stopped gateway', () => {
  test('stays stopped after a kill until restart, which reuses its name', async () => {
    const down = (await cluster.status()).processes.filter(({ kind, pid }) => kind === 'gateway' && pid === null);
    assert.equal(down.length, 1);
    await sleep(2_500);
    assert.equal((await cluster.gateways()).length, 2);
    const name = down[0]?.name ?? '';
    await cluster.restart(name);
    const gateway = await poll('the gateway to run again', async () =>
      (await cluster.gateways()).find((one) => one.name === name),
    );
    assert.equal(await poll('the gateway to be ready', async () => (await fetch(`${gateway.ops}/readyz`)).ok), true);
    await poll('a new client to reach it', async () => {
      const client = await follow();
      clients.push(client);
      return client.socket.io.engine.id?.startsWith(`${name}.`);
    });
  });

  test('is restarted after a crash', async () => {
    const gateways = await cluster.gateways();
    const victim = gateways.at(-1);
    assert(victim?.pid != null);
    process.kill(victim.pid, 'SIGKILL');
    await poll(
      'a new process with the same name',
      async () => {
        const now = (await cluster.gateways()).find(({ name }) => name === victim.name);
        return now !== undefined && now.pid !== victim.pid && (await fetch(`${now.ops}/readyz`)).ok;
      },
      { timeoutMs: 15_000, everyMs: 200 },
    );
    await poll('every client to reconnect', () => clients.every((client) => client.connected), { timeoutMs: 20_000 });
  });

  test('moves its clients when it is drained, and stays stopped', async () => {
    const [victim] = await cluster.gateways();
    assert(victim?.pid != null);
    const hit = clients.filter((client) => client.socket.io.engine.id?.startsWith(`${victim.name}.`));
    await cluster.drain(victim.name);
    await poll('the drained process to exit', () => victim.pid !== null && !isAlive(victim.pid), { timeoutMs: 30_000 });
    await poll('every client to reconnect', () => clients.every((client) => client.connected), { timeoutMs: 20_000 });
    for (const client of hit) {
      assert(
        !client.disconnects.includes('io server disconnect'),
        'Socket.IO must reconnect a drained client by itself',
      );
      assert(client.payloads<{ code: string }>('notice').some(({ code }) => code === 'draining'));
    }
    assert.equal(
      (await cluster.gateways()).some(({ name }) => name === victim.name),
      false,
    );
  });
});

describe('the messages of this cluster', () => {
  test('are not acknowledged while Redis is down, and stored ones are kept', async () => {
    const [client] = clients;
    assert(client !== undefined);
    await sendSurely(client, 'before the store dies');
    await cluster.kill('redis');
    const ack = await client.request('message:send', { room, clientMsgId: newId(), text: 'into the void' });
    assert(!ack.ok && ack.error.retryable, JSON.stringify(ack));
    await cluster.restart('redis');
    await sendSurely(client, 'after the store is back');
    await poll('every client to reconnect', () => clients.every(({ connected }) => connected), { timeoutMs: 20_000 });
  });

  test('were not lost, duplicated or reordered in the tests above', async () => {
    const [reader] = clients;
    assert(reader !== undefined);
    await sendSurely(reader, 'the last one');
    const history = await readHistory(reader, room);
    const head = history.at(-1)?.seq;
    await poll('every client to receive the message', () =>
      clients.every((client) => client.seqs(room).at(-1) === head || floors.get(client)?.head === head),
    );
    const members = clients.map((client) => ({
      member: client.session.user.id,
      floor: floors.get(client)?.head ?? 0,
      entries: client.entries(room),
    }));
    assert.deepEqual(checkRoom({ history, members, sends, complete: true }), []);
  });
});
