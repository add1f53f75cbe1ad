/**
 * What remains after a gateway dies between two writes, and what another one reads between them. A
 * membership is stored in the room, and in the user's list on another shard.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connectRedis, type RedisStore, singleStore } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';
import { startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { Redis } from 'ioredis';
import {
  roomLogKey,
  roomMetaKey,
  roomReadsKey,
  roomRolesKey,
  userRoomListKey,
} from '../../services/gateway/src/keys.ts';
import type { Act } from '../../services/gateway/src/log/room-log.ts';
import { poll } from '../support/poll.ts';
import { ageList, dead, healthy, type Node, type Step, startNode } from './steps-setup.ts';

const OWNER = 'mina';
const MEMBER = 'jun';
/** More steps than any request has. */
const STEPS_MAX = 20;

let server: TestRedis;
let redis: Redis;
let store: RedisStore;

before(async () => {
  server = await startTestRedis();
  const logger = createLogger({ service: 'test', node: 'n', level: 'silent' });
  redis = connectRedis({ url: server.url, deadlineMs: 2_000 }, { purpose: 'test', node: 'n', logger });
  // Each node listens to it.
  redis.setMaxListeners(0);
  store = singleStore(redis);
  assert(await store.untilReady(10_000));
});
after(async () => {
  redis?.disconnect();
  await server?.stop();
});
beforeEach(() => redis.flushall());

const nodeWith = (step: Step): Node => startNode(store, OWNER, step);

/** Simulates that all lists were written long ago. */
async function ageLists(): Promise<void> {
  for (const user of [OWNER, MEMBER]) await ageList(redis, user);
}

/** Reads the rooms, which are the source of truth. */
async function memberships(user: string): Promise<string[]> {
  const rooms: string[] = [];
  for (const key of await redis.keys('*:roles')) {
    const room = /\{(.*)\}/.exec(key)?.[1] as string;
    if ((await redis.hexists(key, user)) === 1) rooms.push(room);
  }
  return rooms.sort();
}

/** A healthy node shows each user exactly their rooms, and repairs the lists. */
async function assertRepaired(): Promise<void> {
  for (const round of ['at once', 'later']) {
    if (round === 'later') await ageLists();
    for (const user of [OWNER, MEMBER]) {
      const shown = (await nodeWith(healthy).mine(user)).map(({ room }) => room);
      const truth = await memberships(user);
      assert.deepEqual(shown, truth, `${user}, ${round}`);
      const listed = (await redis.hkeys(userRoomListKey(user))).sort();
      if (round === 'later') assert.deepEqual(listed, truth, `the list of ${user}`);
      else for (const room of truth) assert(listed.includes(room), `${user} lost ${room}`);
    }
  }
}

/**
 * Runs `request` on nodes that die after 1, 2, 3 … steps, each in a new store, until one survives.
 */
async function dieAfterEachStep(
  request: (node: Node, room: string) => Promise<unknown>,
  check: (room: string, node: Node) => Promise<void>,
  prepare: (room: string) => Promise<unknown> = async () => {},
): Promise<void> {
  for (let steps = 1; ; steps++) {
    assert(steps < STEPS_MAX);
    await redis.flushall();
    const { room } = await nodeWith(healthy).create();
    await prepare(room);
    const doomed = nodeWith(dead(steps));
    const outcome = await Promise.race([
      request(doomed, room).then(() => 'answered'),
      poll('the death', () => doomed.steps() >= steps, { everyMs: 1 }).then(() => redis.ping()),
    ]);
    await assertRepaired();
    await check(room, nodeWith(healthy));
    await assertRepaired();
    if (outcome === 'answered') return;
  }
}

const invite: Act = { type: 'invite', user: MEMBER };
const kick: Act = { type: 'kick', user: MEMBER, forMs: undefined, reason: undefined };
const leave: Act = { type: 'leave', user: MEMBER };
const asOwner = (node: Node, room: string, act: Act, id?: string) => node.act(OWNER, room, act, id);
const asMember = (node: Node, room: string, act: Act, id?: string) => node.act(MEMBER, room, act, id);
const membersOf = async (room: string) => (await redis.hkeys(roomRolesKey(room))).sort();
const entriesOf = async (room: string) => redis.xlen(roomLogKey(room));

describe('a gateway that dies between two writes', () => {
  test("while creating a room leaves the room in the owner's list, or no room", async () => {
    await dieAfterEachStep(
      (node) => node.create(),
      async () => {},
    );
  });

  test('while inviting leaves a member with the room in the list, or neither; a retry completes it', async () => {
    await dieAfterEachStep(
      (node, room) => asOwner(node, room, invite),
      async (room, node) => {
        await asOwner(node, room, invite);
        assert.deepEqual([await membersOf(room), await entriesOf(room)], [[MEMBER, OWNER], 1]);
        assert.deepEqual(
          (await node.mine(MEMBER)).map((one) => one.room),
          [room],
        );
      },
    );
  });

  for (const [name, by, act] of [
    ['kick', asOwner, kick],
    ['departure', asMember, leave],
  ] as const)
    test(`during a ${name} leaves a state that a retry completes, and stores one entry`, async () => {
      await dieAfterEachStep(
        (node, room) => by(node, room, act, 'once'),
        async (room, node) => {
          if ((await membersOf(room)).length === 2) await by(node, room, act, 'once');
          assert.deepEqual([await membersOf(room), await entriesOf(room)], [[OWNER], 2]);
          assert.deepEqual(await node.mine(MEMBER), []);
        },
        async (room) => {
          await asOwner(nodeWith(healthy), room, invite);
          await ageLists();
        },
      );
    });

  test('while deleting leaves the room in no list', async () => {
    await dieAfterEachStep(
      (node, room) => node.delete(room),
      async (room, node) => {
        if ((await redis.hexists(roomMetaKey(room), 'deleted')) === 0) await node.delete(room);
        assert.deepEqual(await node.mine(MEMBER), []);
      },
      (room) => asOwner(nodeWith(healthy), room, invite),
    );
  });

  test('while moving a read position leaves the position or none, with exact counts', async () => {
    await dieAfterEachStep(
      (node, room) => node.read(OWNER, room, 2),
      async (room, node) => {
        const [mine] = await node.mine(OWNER);
        const stored = await redis.hget(roomReadsKey(room), OWNER);
        assert.deepEqual(mine?.read, stored === null ? { seq: 0, n: 0 } : { seq: 2, n: 0 });
        await node.read(OWNER, room, 2);
        const again = await node.read(OWNER, room, 1);
        assert.deepEqual(again, { outcome: 'same', data: { seq: 2, n: 0, unread: 0, mentions: 0 } });
      },
      async (room) => {
        await asOwner(nodeWith(healthy), room, invite);
        await asOwner(nodeWith(healthy), room, kick);
      },
    );
  });
});

/** After each step of the request, reads all rooms on another node, which repairs the lists. */
async function readBetween(request: (node: Node) => Promise<unknown>): Promise<void> {
  const node = nodeWith(async () => {
    for (const user of [OWNER, MEMBER]) await nodeWith(healthy).mine(user);
  });
  await request(node);
  await assertRepaired();
}

describe('a read of the list between two writes', () => {
  test('does not remove a new member who was a member before', async () => {
    const { room } = await nodeWith(healthy).create();
    await asOwner(nodeWith(healthy), room, invite);
    await asOwner(nodeWith(healthy), room, kick);
    // The list still contains the room unnecessarily, so a repair may remove it.
    await ageLists();
    await readBetween((node) => asOwner(node, room, invite));
    assert.deepEqual(await membersOf(room), [MEMBER, OWNER]);
  });

  test('does not hide a new room from its owner', async () => {
    await readBetween((node) => node.create());
    assert.equal((await memberships(OWNER)).length, 1);
  });

  test('that started before the invitation and ends after it does not remove the member', async () => {
    const { room } = await nodeWith(healthy).create();
    await asOwner(nodeWith(healthy), room, invite);
    await asOwner(nodeWith(healthy), room, kick);
    await ageLists();
    // The reader reads the list and the room. Then the user becomes a member. Then the reader
    // repairs the list.
    const reader = nodeWith((number) => (number === 2 ? asOwner(nodeWith(healthy), room, invite) : undefined));
    assert.deepEqual(await reader.mine(MEMBER), []);
    await assertRepaired();
    assert.deepEqual(await membersOf(room), [MEMBER, OWNER]);
  });

  test('a kick whose node is slow to clean the list does not remove a user who was invited again', async () => {
    const { room } = await nodeWith(healthy).create();
    await asOwner(nodeWith(healthy), room, invite);
    await ageLists();
    for (let step = 1; step < 8; step++) {
      const kicker = nodeWith((number) => (number === step ? asOwner(nodeWith(healthy), room, invite) : undefined));
      await asOwner(kicker, room, kick).catch(() => {});
      await redis.ping();
      await asOwner(nodeWith(healthy), room, invite);
      await assertRepaired();
      assert.deepEqual(await membersOf(room), [MEMBER, OWNER]);
    }
  });
});
