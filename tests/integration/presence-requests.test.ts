/** Requests about presence, and their price. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PresenceDiff } from '@maru/protocol';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';

const ROOMS = 90;

let cluster: Gateways;
let gateway: ServiceProcess;
const open: TestClient[] = [];

before(async () => {
  cluster = await startGateways({
    environment: { MARU_CONNECTION_EVENTS_PER_SECOND: '1', MARU_USER_ROOMS_PER_HOUR: String(ROOMS) },
  });
  gateway = cluster.gateways[0] as ServiceProcess;
});
after(async () => {
  for (const client of open) client.close();
  await cluster?.stop();
});

async function clientOf(sub = newId()): Promise<TestClient> {
  const client = await connect(gateway.url, { token: tokenOf(sub) });
  open.push(client);
  return client;
}

test('a user who joins a new room and watches it is in the snapshot', async () => {
  const client = await clientOf();
  const id = client.session.user.id;
  // A snapshot waits 50 ms for the report of the join, which may take longer on a slow machine.
  const isThere: boolean[] = [];
  for (let index = 0; index < 10; index++) {
    const room = newRoom();
    await client.ok('room:join', { room });
    const { users = [] } = await client.ok('presence:watch', { room });
    isThere.push(users.some((user) => user.id === id));
  }
  assert.ok(isThere.includes(true), String(isThere));
});

const listRooms = (sub: string, query: string) =>
  fetch(`${gateway.url}/api/v1/rooms?${query}`, { headers: { Authorization: `Bearer ${tokenOf(sub)}` } });

test('presence:unwatch ends the presence events of a room, and presence:watch starts them again', async () => {
  const watcher = await clientOf();
  const [room, other] = [newRoom(), newRoom()];
  for (const id of [room, other]) {
    await watcher.ok('room:join', { room: id });
    await watcher.ok('presence:watch', { room: id });
  }
  assert.deepEqual(await watcher.ok('presence:unwatch', { room }), {});
  // Unwatching a room that is not watched is no error.
  assert.deepEqual(await watcher.ok('presence:unwatch', { room }), {});
  const observer = await clientOf();
  await observer.ok('room:join', { room });
  await observer.ok('presence:watch', { room });
  /** The users that a client saw join. */
  const joins = (id: string, client = watcher) =>
    client
      .payloads<PresenceDiff>('presence')
      .filter((diff) => diff.room === id)
      .flatMap((diff) => diff.joins.map((user) => user.id));
  const [one, two] = [newId(), newId()];
  for (const sub of [one, two]) {
    const guest = await clientOf(sub);
    for (const id of [room, other]) await guest.ok('room:join', { room: id });
    await poll('the room that is still watched', () => joins(other).includes(sub));
    // Each room has separate differences. This one was sent, but not to the watcher.
    await poll('the room that is no longer watched', () => joins(room, observer).includes(sub));
    if (sub === one) await watcher.ok('presence:watch', { room });
  }
  await poll('the room that is watched again', () => joins(room).includes(two));
  assert(!joins(room).includes(one));
});

test('presence:unwatch of a hidden room looks like that of an absent one', async () => {
  const [owner, stranger] = [await clientOf(), await clientOf()];
  const { room } = await owner.ok('room:create', { visibility: 'private' });
  await stranger.refused('not_found', 'presence:unwatch', { room });
  await stranger.refused('not_found', 'presence:unwatch', { room: newRoom() });
});

test('a page of rooms makes few calls, and is charged for the work that it causes', async () => {
  const owner = await clientOf();
  await Promise.all(Array.from({ length: ROOMS }, () => owner.ok('room:create', { room: newRoom() })));
  const calls = async () => cluster.presence.metric('maru_presence_store_duration_seconds_count');
  const before = await calls();
  const answer = await listRooms('lister', 'limit=200');
  const { rooms } = (await answer.json()) as { rooms: unknown[] };
  assert(rooms.length >= ROOMS);
  // The loops of the service make a few calls each second.
  const made = (await calls()) - before;
  assert(made < ROOMS / 3, `${made} calls`);
  // Each page takes some 5 of 200 events.
  const statuses: number[] = [];
  for (let page = 0; page < 60; page++) statuses.push((await listRooms('lister', 'limit=200')).status);
  assert(
    statuses.slice(0, 20).every((status) => status === 200),
    String(statuses),
  );
  assert(statuses.includes(429), String(statuses));
  // Requested rooms that do not exist cost nothing.
  const small: number[] = [];
  for (let page = 0; page < 100; page++) small.push((await listRooms('other', 'limit=200&cursor=zzzz')).status);
  assert(
    small.every((status) => status === 200),
    String(small),
  );
});
