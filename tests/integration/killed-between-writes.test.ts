/**
 * A process is killed between any two writes of an act. Afterwards, a gateway shows each user
 * exactly their rooms, a retry completes the act, and nothing is stored twice.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { isPrivateRoomId } from '@maru/protocol';
import { NODE_FLAGS } from '@maru/service-kit';
import { Redis } from 'ioredis';
import { userRoomListKey } from '../../services/gateway/src/keys.ts';
import { connect } from '../support/client.ts';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { newId, newRoom } from '../support/tokens.ts';
import type { Doom } from './doomed.ts';
import { ageList } from './steps-setup.ts';

/** More writes than any act has. */
const WRITES_MAX = 12;
const DOOMED = new URL('doomed.ts', import.meta.url).pathname;

let site: Gateways;
let redis: Redis;
let url: string;
before(async () => {
  const calls = { MARU_ADDRESS_CALLS_PER_SECOND: '100000', MARU_ADDRESS_CALLS_BURST: '100000' };
  site = await startGateways({ environment: { ...WIDE_LIMITS, ...calls } });
  redis = new Redis(site.redis.url);
  url = site.gateways[0]?.url as string;
});
after(async () => {
  redis?.disconnect();
  await site?.stop();
});

interface Users {
  owner: string;
  other: string;
}

async function ask<T = Record<string, unknown>>(
  user: string,
  method: string,
  path: string,
  body?: unknown,
  key = newId(),
) {
  const headers = { 'idempotency-key': key };
  return call<T>(url, path, { method, token: tokenOf(user), headers, ...(body === undefined ? {} : { body }) });
}

/** A call that must succeed. */
async function done<T = Record<string, unknown>>(...request: Parameters<typeof ask>): Promise<T> {
  const { status, body } = await ask(...request);
  assert(status < 300, `${request.join(' ')}: ${status} ${JSON.stringify(body)}`);
  return body as T;
}

/** Repeats the interrupted call, which may already be complete. */
async function again(statuses: number[], ...request: Parameters<typeof ask>): Promise<void> {
  const { status, body } = await ask(...request);
  assert(status < 300 || statuses.includes(status), `${request.join(' ')}: ${status} ${JSON.stringify(body)}`);
}

const create = async (user: string, body: object) => (await done<{ room: string }>(user, 'POST', '/rooms', body)).room;
const mine = async (user: string) =>
  (await done<{ rooms: Array<{ room: string; read: object; unread: number }> }>(user, 'GET', '/me/rooms')).rooms;
const roomsOf = async (user: string) => (await mine(user)).map(({ room }) => room);
async function entriesOf(user: string, room: string) {
  const path = `/rooms/${room}/messages?limit=200`;
  return (await done<{ messages: Array<{ type: string; text?: string }> }>(user, 'GET', path)).messages;
}
const typesOf = async (user: string, room: string) => (await entriesOf(user, room)).map(({ type }) => type);

/**
 * Private rooms of which the user is a member, read from the rooms, which are the source of truth.
 */
async function memberships(user: string): Promise<string[]> {
  const keys = await redis.keys('maru:{*}:roles');
  const members = await Promise.all(keys.map((key) => redis.hexists(key, user)));
  const rooms = keys.filter((_, index) => members[index] === 1).map((key) => /\{(.*)\}/.exec(key)?.[1] as string);
  return rooms.filter(isPrivateRoomId).sort();
}

async function assertRepaired({ owner, other }: Users): Promise<void> {
  for (const user of [owner, other]) {
    const truth = await memberships(user);
    assert.deepEqual((await roomsOf(user)).filter(isPrivateRoomId).sort(), truth, `rooms of ${user}`);
    // Once its entries are old, a read repairs the list.
    await ageList(redis, user);
    await roomsOf(user);
    const listed = (await redis.hkeys(userRoomListKey(user))).filter(isPrivateRoomId).sort();
    assert.deepEqual(listed, truth, `the list of ${user}`);
  }
}

/** Whether the process was killed. */
async function carryOut(doom: Doom): Promise<boolean> {
  const child = spawn(process.execPath, [...NODE_FLAGS, DOOMED, JSON.stringify(doom)], {
    env: {
      ...process.env,
      MARU_REDIS_URL: site.redis.url,
      MARU_JWT_SECRET: 'a-secret-for-tests-only-0123456789abcdef',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let printed = '';
  child.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  const [code, signal] = await once(child, 'close');
  assert(signal === 'SIGKILL' || code === 0, `${JSON.stringify(doom)}: ${code} ${signal}\n${printed}`);
  return signal === 'SIGKILL';
}

interface Act {
  /** Prepares the state that the act needs. */
  prepare?: (users: Users) => Promise<string>;
  act: (users: Users, room: string) => Omit<Doom, 'writes'>;
  retry: (users: Users, room: string) => Promise<unknown>;
  /** Must hold whether or not the process was killed. */
  check: (users: Users, room: string) => Promise<void>;
}

const withMember = async ({ owner, other }: Users) => {
  const room = await create(owner, { visibility: 'private' });
  await done(owner, 'PUT', `/rooms/${room}/members/${other}`);
  return room;
};
const withMessage = async (users: Users) => {
  const room = await withMember(users);
  await done(users.owner, 'POST', `/rooms/${room}/messages`, { text: 'first' });
  return room;
};
const direct = ({ owner, other }: Users) => create(owner, { visibility: 'direct', user: other });
const ONCE = { clientMsgId: 'once' };

const ACTS: Record<string, Act> = {
  'creating a private room': {
    act: ({ owner }) => ({ event: 'room:create', user: owner, request: { visibility: 'private', title: 'Tea' } }),
    retry: ({ owner }) => create(owner, { visibility: 'private', title: 'Tea' }),
    check: async ({ owner }) => assert.deepEqual((await roomsOf(owner)).sort(), await memberships(owner)),
  },
  'creating a public room': {
    prepare: async () => newRoom('public'),
    act: ({ owner }, room) => ({ event: 'room:create', user: owner, request: { room, visibility: 'public' } }),
    retry: ({ owner }, room) => again([409], owner, 'POST', '/rooms', { room }),
    async check({ owner, other }, room) {
      const { members } = await done<{ members: unknown }>(owner, 'GET', `/rooms/${room}/members`);
      assert.deepEqual(members, [{ user: owner, role: 'owner' }]);
      // Joining a room lists it.
      const client = await connect(url, { token: tokenOf(other) });
      await client.ok('room:join', { room });
      client.close();
      assert.notEqual(await redis.zscore('maru:rooms', room), null);
    },
  },
  'opening a direct room': {
    act: ({ owner, other }) => ({ event: 'room:create', user: owner, request: { user: other } }),
    retry: ({ owner, other }) => direct({ owner: other, other: owner }),
    async check({ owner, other }) {
      const rooms = await memberships(owner);
      assert.equal(rooms.length, 1);
      assert.deepEqual([await roomsOf(owner), await roomsOf(other)], [rooms, rooms]);
    },
  },
  'an invitation': {
    prepare: ({ owner }) => create(owner, { visibility: 'private' }),
    act: ({ owner, other }, room) => ({ event: 'room:invite', user: owner, request: { room, user: other, ...ONCE } }),
    retry: ({ owner, other }, room) => done(owner, 'PUT', `/rooms/${room}/members/${other}`, undefined, 'once'),
    async check({ owner, other }, room) {
      assert.deepEqual(await roomsOf(other), [room]);
      assert.deepEqual(await typesOf(owner, room), ['room.invite']);
    },
  },
  'a kick': {
    prepare: withMember,
    act: ({ owner, other }, room) => ({ event: 'room:kick', user: owner, request: { room, user: other, ...ONCE } }),
    retry: ({ owner, other }, room) => again([404], owner, 'POST', `/rooms/${room}/members/${other}/kick`, {}, 'once'),
    async check({ owner, other }, room) {
      assert.deepEqual(await roomsOf(other), []);
      assert.deepEqual(await typesOf(owner, room), ['room.invite', 'room.kick']);
    },
  },
  'a departure': {
    prepare: withMember,
    act: ({ other }, room) => ({ event: 'room:quit', user: other, request: { room, ...ONCE } }),
    retry: ({ other }, room) => again([404], other, 'DELETE', `/rooms/${room}/members/me`, undefined, 'once'),
    async check({ owner, other }, room) {
      assert.deepEqual(await roomsOf(other), []);
      assert.deepEqual(await typesOf(owner, room), ['room.invite', 'room.leave']);
    },
  },
  'a deletion of a room': {
    prepare: withMember,
    act: ({ owner }, room) => ({ event: 'room:delete', user: owner, request: { room } }),
    retry: ({ owner }, room) => again([404], owner, 'DELETE', `/rooms/${room}`),
    async check({ owner, other }, room) {
      assert.deepEqual([await roomsOf(owner), await roomsOf(other)], [[], []]);
      const { status } = await ask(owner, 'GET', `/rooms/${room}/messages`);
      assert.equal(status, 404);
    },
  },
  'following a public room': {
    prepare: ({ owner }) => create(owner, { room: newRoom('followed') }),
    act: ({ other }, room) => ({ event: 'room:follow', user: other, request: { room, active: true, notify: 'all' } }),
    retry: ({ other }, room) => done(other, 'PUT', `/me/rooms/${room}`, { notify: 'all' }),
    check: async ({ other }, room) => assert.deepEqual(await roomsOf(other), [room]),
  },
  'a read position': {
    prepare: withMessage,
    act: ({ other }, room) => ({ event: 'room:read', user: other, request: { room, seq: 2 } }),
    retry: ({ other }, room) => done(other, 'PUT', `/rooms/${room}/read-position`, { seq: 2 }),
    async check({ other }, room) {
      const [shown] = await mine(other);
      assert.deepEqual([shown?.room, shown?.read, shown?.unread], [room, { seq: 2, n: 1 }, 0]);
    },
  },
  'a message in a direct room': {
    prepare: direct,
    act: ({ owner }, room) => ({ event: 'message:send', user: owner, request: { room, text: 'hi', ...ONCE } }),
    retry: ({ owner }, room) => done(owner, 'POST', `/rooms/${room}/messages`, { text: 'hi' }, 'once'),
    async check({ owner, other }, room) {
      assert.deepEqual(
        (await entriesOf(owner, room)).map(({ text }) => text),
        ['hi'],
      );
      assert.equal((await mine(other))[0]?.unread, 1);
    },
  },
};

/** Maximum acts that are interrupted concurrently, to use all cores. */
const ACTS_AT_ONCE = 4;

describe('a process that is killed between any two writes of', { concurrency: ACTS_AT_ONCE }, () => {
  for (const [name, { prepare, act, retry, check }] of Object.entries(ACTS))
    test(`${name} leaves nothing lost, duplicated or unrepaired`, async () => {
      let writes = 0;
      for (let killed = true; killed; ) {
        assert(++writes < WRITES_MAX);
        const users = { owner: `owner-${newId()}`, other: `other-${newId()}` };
        const room = (await prepare?.(users)) ?? '';
        killed = await carryOut({ ...act(users, room), writes });
        await assertRepaired(users);
        await retry(users, room);
        await check(users, room);
        await assertRepaired(users);
      }
      assert(writes > 1, 'the act was never interrupted');
    });
});
