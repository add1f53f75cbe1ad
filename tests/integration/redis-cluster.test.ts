/**
 * The whole service on a six-process Redis Cluster, with the rights that the application's account has: rooms on every shard, a slot that moves
 * under load, a shard that hangs, a primary that dies. Every acknowledgement waits for a replica, and every room is judged in the end.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { slotOf, startRedisCluster, type TestClusterNode, type TestRedisCluster } from '@maru/service-kit/testing';
import { renderRedisAcl } from '../../tools/supervisor/src/redis-config.ts';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { checkRoom, type ReceivedLog, type Sent } from '@maru/testkit/checker/check-room';
import { poll, sleep } from '../support/poll.ts';
import { readHistory, sendMany } from '../support/sender.ts';

const PASSWORD = 'only-for-this-test';
const directory = mkdtempSync(join(tmpdir(), 'maru-cluster-acl-'));
const clients: TestClient[] = [];
let cluster: TestRedisCluster;
let site: Gateways;

before(async () => {
  const aclfile = join(directory, 'users.acl');
  const ours = renderRedisAcl({ adminPassword: 'unused', maruPassword: PASSWORD }).split('\n');
  writeFileSync(
    aclfile,
    // The default account is how the nodes follow each other, and how this test administers them.
    ['user default on nopass ~* &* +@all', ...ours.filter((line) => line.startsWith('user maru')), ''].join('\n'),
  );
  cluster = await startRedisCluster({ appendOnly: 'always', settings: { aclfile } });
  const url = cluster.url.replace('://', `://maru:${PASSWORD}@`);
  site = await startGateways({
    gateways: 2,
    redisUrl: () => url,
    environment: { ...WIDE_LIMITS, MARU_REDIS_WAIT_REPLICAS: '1' },
    presenceEnvironment: { MARU_REDIS_URL: url },
  });
});

after(async () => {
  for (const node of cluster?.nodes ?? []) await node.kill('SIGCONT');
  for (const client of clients) client.close();
  await site?.stop();
  await cluster?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const enter = async (gateway: number, user: string, resume?: Record<string, { epoch: string; seq: number }>) => {
  const client = await connect(site.gateways[gateway]?.url ?? '', {
    token: tokenOf(user),
    ...(resume === undefined ? {} : { resume }),
  });
  clients.push(client);
  return client;
};

/** Room ids, one on each shard, the first on the shard that holds the key. */
async function roomsOnEveryShard(prefix: string): Promise<Array<{ room: string; primary: TestClusterNode }>> {
  const found = new Map<string, { room: string; primary: TestClusterNode }>();
  for (let i = 0; found.size < 3; i++) {
    const room = `${prefix}-${i}`;
    const primary = await cluster.primaryOf(`{${room}}`);
    if (!found.has(primary.name)) found.set(primary.name, { room, primary });
  }
  return [...found.values()];
}

/** Two members and two senders of a room, on both nodes; sends go on until `end`, which judges the room. */
async function startTraffic(room: string) {
  const members = await Promise.all([0, 1].map((gateway) => enter(gateway, `member-${gateway}`)));
  const floors = await Promise.all(members.map(async (member) => (await member.patient('room:join', { room })).head));
  const senders = await Promise.all([0, 1].map((gateway) => enter(gateway, `sender-${gateway}`)));
  const sends: Sent[] = [];
  let ended = false;
  const working = senders.map(async (sender, index) => {
    for (let round = 0; !ended; round++) {
      sends.push(...(await sendMany(sender, room, 16, `${index}-${round}`)));
      await sleep(5);
    }
  });
  return {
    room,
    sends,
    async more(count: number, timeoutMs = 20_000) {
      const goal = sends.length + count;
      await poll(`${count} more messages in ${room}`, () => sends.length >= goal, { timeoutMs });
    },
    async end() {
      ended = true;
      await Promise.all(working);
      const history = await readHistory(members[0] as TestClient, room);
      const head = history.at(-1)?.seq ?? 0;
      await poll(
        `every member of ${room} to have ${head}`,
        () => members.every((member) => (member.entries(room).at(-1)?.seq ?? 0) >= head),
        { timeoutMs: 15_000 },
      );
      const logs = members.map(
        (member, index): ReceivedLog => ({
          member: `member-${index}`,
          floor: floors[index] ?? 0,
          entries: member.entries(room),
        }),
      );
      assert.deepEqual(checkRoom({ history, members: logs, sends, complete: true }), [], room);
      for (const client of [...members, ...senders]) client.close();
    },
  };
}

const trafficOnEveryShard = async (prefix: string) => {
  const rooms = await roomsOnEveryShard(prefix);
  return Promise.all(rooms.map(async ({ room, primary }) => ({ primary, traffic: await startTraffic(room) })));
};

test('rooms of every shard work from both nodes, and one who comes back on another node gets what it missed', async () => {
  const everywhere = await trafficOnEveryShard('plain');
  const rooms = everywhere.map(({ traffic }) => traffic.room);
  const away = await enter(0, 'traveller');
  for (const room of rooms) await away.ok('room:join', { room });
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(40)));
  const resume = away.positions();
  assert.equal(Object.keys(resume).length, 3);
  away.close();
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(40)));
  const back = await enter(1, 'traveller', resume);
  for (const room of rooms) {
    const answer = back.session.rooms[room];
    assert.ok(answer !== undefined && 'recovered' in answer && answer.recovered, JSON.stringify(answer));
  }
  await Promise.all(everywhere.map(({ traffic }) => traffic.end()));
  for (const { room, seq } of Object.entries(resume).map(([name, position]) => ({ room: name, ...position }))) {
    const history = await readHistory(back, room);
    await back.until(room, history.length - seq);
    assert.deepEqual(
      back.entries(room).map((entry) => entry.seq),
      history.slice(seq).map((entry) => entry.seq),
    );
  }
  // A room's differences are told twice a second.
  await poll('somebody to be seen in the room', async () => {
    const { count } = await back.patient('presence:watch', { room: rooms[0] as string });
    return count >= 1;
  });
  back.close();
  site.assertAlive();
});

test('a slot that moves there and back under load costs nobody a message, an order or a copy', async () => {
  const traffic = await startTraffic('nomads');
  const slot = slotOf('{nomads}');
  const home = await cluster.primaryOf(slot);
  const others = (await cluster.primaries()).filter((node) => node !== home);
  await traffic.more(64);
  for (let round = 0; round < 6; round++) {
    const to = round % 2 === 0 ? (others[round % 4 === 0 ? 0 : 1] as TestClusterNode) : home;
    // Now and then it takes longer than a call may: those messages are refused, and sent again.
    await cluster.moveSlot(slot, to, { pauseMs: round === 4 ? 400 : 10 });
    await traffic.more(64);
  }
  await traffic.end();
  site.assertAlive();
});

test('a shard that hangs holds up nobody in rooms of the others', async () => {
  const everywhere = await trafficOnEveryShard('hung');
  const [hung, ...others] = everywhere as [(typeof everywhere)[0], ...typeof everywhere];
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(64)));
  await hung.primary.kill('SIGSTOP');
  try {
    // Who finds out that the shard hangs may pay for it once with a deadline.
    await sleep(1_000);
    const before = others.map(({ traffic }) => traffic.sends.length);
    await Promise.all(others.map(({ traffic }) => traffic.more(200)));
    others.forEach(({ traffic }, index) => {
      const meanwhile = traffic.sends.slice(before[index]);
      const refused = meanwhile.filter(({ retried }) => retried === true).length;
      // Held up by the hung shard, all of them would miss the deadline; a busy machine may cost a few.
      assert.ok(refused < meanwhile.length / 5, `${refused} of ${meanwhile.length} were refused`);
    });
  } finally {
    // By now its replica may have taken over; with no replica of its own, it acknowledges nothing until this one wakes.
    await hung.primary.kill('SIGCONT');
  }
  await cluster.untilWhole();
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(32)));
  await Promise.all(everywhere.map(({ traffic }) => traffic.end()));
  site.assertAlive();
});

test('when a primary dies its replica takes over, and nothing that was acknowledged is lost', async () => {
  const everywhere = await trafficOnEveryShard('killed');
  const [killed] = everywhere as [(typeof everywhere)[0]];
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(64)));
  await killed.primary.kill();
  const successor = await poll(
    'the promotion of the replica',
    async () => {
      const owner = await cluster.primaryOf(`{${killed.traffic.room}}`);
      return owner !== killed.primary && owner;
    },
    { timeoutMs: 20_000 },
  );
  // With no replica left, nothing more of that shard may be acknowledged until there is one again.
  await killed.primary.restart();
  await cluster.untilWhole();
  assert.equal(await cluster.primaryOf(`{${killed.traffic.room}}`), successor);
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(64)));
  await Promise.all(everywhere.map(({ traffic }) => traffic.end()));
  await poll('every node to say that the store is well', async () => {
    const degraded = await Promise.all(site.gateways.map((gateway) => gateway.metric('maru_store_degraded')));
    return degraded.every((value) => value === 0);
  });
  site.assertAlive();
});
