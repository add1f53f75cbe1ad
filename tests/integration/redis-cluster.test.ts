/**
 * The whole service on a Redis Cluster of six processes, with the rights of the application's
 * account. Every acknowledgement waits for a replica, and the checker verifies every room at the
 * end.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { slotOf, startRedisCluster, type TestClusterNode, type TestRedisCluster } from '@maru/service-kit/testing';
import { checkRoom, type ReceivedLog, type Sent } from '@maru/testkit/checker/check-room';
import { renderRedisAcl } from '../../deploy/redis/render.ts';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
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
    // The nodes and this test use the default account.
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

/** A room on each shard. */
async function roomsOnEveryShard(prefix: string): Promise<Array<{ room: string; primary: TestClusterNode }>> {
  const found = new Map<string, { room: string; primary: TestClusterNode }>();
  for (let i = 0; found.size < 3; i++) {
    const room = `${prefix}-${i}`;
    const primary = await cluster.primaryOf(`{${room}}`);
    if (!found.has(primary.name)) found.set(primary.name, { room, primary });
  }
  return [...found.values()];
}

/**
 * Two members and two senders of a room, on both nodes. They send until `end`, which checks the
 * room.
 */
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

test('a member of rooms on every shard resumes on another node', async () => {
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
  // Differences of a room are published at most every 400 ms.
  await poll('a user to be shown in the room', async () => {
    const { count } = await back.patient('presence:watch', { room: rooms[0] as string });
    return count >= 1;
  });
  // A page of rooms is read from all shards at once.
  const page = await fetch(`${site.gateways[1]?.url}/api/v1/rooms?limit=200`, {
    headers: { Authorization: `Bearer ${tokenOf('traveller')}` },
  });
  const listed = ((await page.json()) as { rooms: Array<{ room: string; online: number }> }).rooms;
  for (const room of rooms) assert.ok((listed.find((item) => item.room === room)?.online ?? 0) >= 1, room);
  back.close();
  site.assertAlive();
});

test('a slot that moves under load loses, reorders and duplicates no message', async () => {
  const traffic = await startTraffic('nomads');
  const slot = slotOf('{nomads}');
  const home = await cluster.primaryOf(slot);
  const others = (await cluster.primaries()).filter((node) => node !== home);
  await traffic.more(64);
  for (let round = 0; round < 6; round++) {
    const to = round % 2 === 0 ? (others[round % 4 === 0 ? 0 : 1] as TestClusterNode) : home;
    // One move takes longer than the deadline of a call. Its messages are refused and repeated.
    await cluster.moveSlot(slot, to, { pauseMs: round === 4 ? 400 : 10 });
    await traffic.more(64);
  }
  await traffic.end();
  site.assertAlive();
});

test('a shard that hangs does not delay rooms of other shards', async () => {
  const everywhere = await trafficOnEveryShard('hung');
  const [hung, ...others] = everywhere as [(typeof everywhere)[0], ...typeof everywhere];
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(64)));
  await hung.primary.kill('SIGSTOP');
  try {
    // Each process may wait for one deadline until it knows that the shard hangs.
    await sleep(1_000);
    const before = others.map(({ traffic }) => traffic.sends.length);
    await Promise.all(others.map(({ traffic }) => traffic.more(200)));
    others.forEach(({ traffic }, index) => {
      const duringHang = traffic.sends.slice(before[index]);
      const refused = duringHang.filter(({ retried }) => retried === true).length;
      // If the hung shard delayed them, all would miss the deadline. A busy machine may refuse a
      // few.
      assert.ok(refused < duringHang.length / 5, `${refused} of ${duringHang.length} were refused`);
    });
  } finally {
    // Its replica may be the primary now. It acknowledges nothing until this node is its replica.
    await hung.primary.kill('SIGCONT');
  }
  await cluster.untilWhole();
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(32)));
  await Promise.all(everywhere.map(({ traffic }) => traffic.end()));
  site.assertAlive();
});

test('the death of a primary loses no acknowledged message', async () => {
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
  // The shard has no replica now, so it acknowledges nothing until this node is back.
  await killed.primary.restart();
  await cluster.untilWhole();
  assert.equal(await cluster.primaryOf(`{${killed.traffic.room}}`), successor);
  await Promise.all(everywhere.map(({ traffic }) => traffic.more(64)));
  await Promise.all(everywhere.map(({ traffic }) => traffic.end()));
  await poll('every node to report a healthy store', async () => {
    const degraded = await Promise.all(site.gateways.map((gateway) => gateway.metric('maru_store_degraded')));
    return degraded.every((value) => value === 0);
  });
  site.assertAlive();
});
