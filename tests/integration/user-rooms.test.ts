/** The operator's command `user-rooms`: finds and deletes the rooms that a user created. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { userRoomsKey } from '../../services/gateway/src/keys.ts';
import { connect, type TestClient } from '../support/client.ts';
import { repository } from '../support/cluster.ts';
import { type Gateways, startGateways, tokenOf } from '../support/gateways.ts';
import { newId, newRoom } from '../support/tokens.ts';

const PROGRAM = 'services/gateway/src/admin/user-rooms.ts';

let cluster: Gateways;
let admin: Redis;
const open: TestClient[] = [];

before(async () => {
  cluster = await startGateways({ gateways: 2, environment: { MARU_USER_ROOMS_MAX: '4' } });
  admin = new Redis(cluster.redis.url, { protocol: 2 });
});
after(async () => {
  for (const client of open) client.close();
  admin?.disconnect();
  await cluster?.stop();
});

const run = (args: string[]) =>
  promisify(execFile)(process.execPath, [PROGRAM, ...args], {
    cwd: repository,
    env: { MARU_REDIS_URL: cluster.redis.url },
  });

async function userRooms(...args: string[]): Promise<Array<{ room: string; [field: string]: unknown }>> {
  const { stdout } = await run(args);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function clientOf(sub: string, index = 0): Promise<TestClient> {
  const client = await connect(cluster.gateways[index]?.url as string, { token: tokenOf(sub) });
  open.push(client);
  return client;
}

const message = (room: string, text = 'x') => ({ room, clientMsgId: newId(), text });

/** A user with a created, a written and a private room, and a room of a friend. */
async function makeRooms() {
  const [sub, friendSub] = [`user:${newId()} {}`, newId()];
  const [mina, friend] = [await clientOf(sub), await clientOf(friendSub, 1)];
  const [created, written, others] = [newRoom('a'), newRoom('b'), newRoom('c')];
  await mina.ok('room:create', { room: created, title: 'Tea' });
  await mina.ok('room:join', { room: written });
  const { room: hidden } = await mina.ok('room:create', { visibility: 'private' });
  await mina.ok('room:invite', { room: hidden, user: friendSub });
  await friend.ok('room:create', { room: others });
  for (const room of [created, written, hidden, others]) {
    await mina.ok('message:send', message(room, `secret of ${room}`));
    await friend.ok('room:join', { room });
    await friend.ok('message:send', message(room));
  }
  return { sub, mina, friend, created, written, hidden, others, made: [created, written, hidden] };
}

/** The whole content of Redis, except presence, as text. */
async function contents(): Promise<string> {
  await admin.config('SET', 'rdbcompression', 'no');
  const parts: string[] = [];
  for (const key of await admin.keys('*')) {
    if (key.startsWith('maru:presence:')) continue;
    const value = await admin.dumpBuffer(key);
    parts.push(key, value?.toString('latin1') ?? '');
  }
  return parts.join('\n');
}

test('lists the rooms that a user created or wrote first in, and changes nothing', async () => {
  const { sub, created, written, hidden, others } = await makeRooms();
  const expected = [
    { room: created, visibility: 'public', title: 'Tea', entries: 2, members: 1 },
    { room: written, visibility: 'public', title: '', entries: 2, members: 0 },
    { room: hidden, visibility: 'private', title: '', entries: 3, members: 2 },
  ];
  assert.deepEqual(await userRooms(sub), expected);
  assert.deepEqual(await userRooms(sub, '--delete'), expected, 'without --yes nothing is deleted');
  assert.deepEqual(await userRooms(sub), expected);
  assert(!(await userRooms(sub)).some(({ room }) => room === others));
  assert.deepEqual(await userRooms('somebody-else'), []);
});

test('finds rooms that are older than the index', async () => {
  const { sub, created, hidden } = await makeRooms();
  await admin.del(...(await admin.keys('maru:made:*')));
  assert.deepEqual(
    (await userRooms(sub)).map(({ room }) => room),
    [created, hidden],
  );
});

test('omits a claimed room that another user created', async () => {
  const { sub, others, made } = await makeRooms();
  await admin.zadd(userRoomsKey(sub), 1, others);
  assert.deepEqual((await userRooms(sub)).map(({ room }) => room).sort(), [...made].sort());
});

test('deletes the rooms with all their data, and notifies connected clients', async () => {
  const { sub, mina, friend, made, written, hidden, others } = await makeRooms();
  const removed = await userRooms(sub, '--delete', '--yes');
  assert.deepEqual(removed.map(({ room }) => room).sort(), [...made].sort());
  const left = await contents();
  for (const room of made) assert(!left.includes(`secret of ${room}`), room);
  assert(left.includes(`secret of ${others}`));
  for (const room of made) {
    const { reason } = await friend.event<{ reason: string }>(
      'room:event',
      (event: { type?: string; room?: string; reason: string }) => event.type === 'removed' && event.room === room,
    );
    assert.equal(reason, 'deleted');
  }
  await friend.refused('not_found', 'history:read', { room: hidden });
  await mina.refused('not_found', 'message:send', message(hidden));
  // The rest expires. A join creates a public room again.
  for (const room of made) assert((await admin.pttl(`maru:{${room}}:meta`)) > 0, room);
  const stranger = await clientOf(newId(), 1);
  const { head, messages } = await stranger.ok('room:join', { room: written });
  assert.deepEqual([head, messages], [0, []]);
  assert.equal((await stranger.ok('message:send', message(written))).seq, 1);
  assert.deepEqual(await userRooms(sub), []);
  // The user may create rooms again.
  for (let count = 0; count < 4; count++) await mina.ok('room:create', { room: newRoom() });
});

test('prints its help, and refuses invalid arguments', async () => {
  assert.match((await run(['--help'])).stdout, /--delete/);
  for (const args of [[], ['mina', 'jun'], ['mina', '--yes'], ['mina', '--remove'], ['--delete', '--yes']])
    await assert.rejects(run(args), { code: 2 });
});
