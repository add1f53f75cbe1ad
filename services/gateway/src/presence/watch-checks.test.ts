/** Watches without a join are checked again soon, whatever others watch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, MaruError } from '@maru/protocol';
import type { Session } from '../sessions/session.ts';
import type { PresencePort } from './presence-port.ts';
import { createPresenceWatches } from './presence-watches.ts';

const PRIVATE_ROOM = 'p-0123456789abcdefghijklmn';

function rig() {
  const refused = new Set<string>();
  const asked: string[] = [];
  const watches = createPresenceWatches({
    port: {
      watch: async () => {},
      unwatch() {},
      snapshot: async () => ({ count: 0, users: [] }),
    } as unknown as PresencePort,
    async mayRead(userId, room) {
      asked.push(`${userId} ${room}`);
      if (refused.has(userId)) throw new MaruError('not_found', 'kicked');
    },
  });
  const watch = async (userId: string, rooms: string[]) => {
    const session = { closed: false, user: { id: userId }, subscriptions: new Map(), emit() {} } as unknown as Session;
    for (const room of rooms) (await watches.watch(session, room)).afterwards?.();
    return session;
  };
  /** Users who each watch as many public rooms as allowed. */
  const crowd = async (users: number, name = 'other') => {
    const rooms = Array.from({ length: LIMITS.roomsPerConnectionMax }, (_, index) => `room-${index}`);
    return Promise.all(Array.from({ length: users }, (_, index) => watch(`${name}${index}`, rooms)));
  };
  return { watches, watch, crowd, refused, asked };
}

test('a user who was removed from a private room loses its watches at the next check, asked once', async () => {
  const { watches, watch, crowd, refused, asked } = rig();
  await crowd(10);
  const sessions = [await watch('jun', [PRIVATE_ROOM]), await watch('jun', [PRIVATE_ROOM])];
  await watches.recheck();
  refused.add('jun');
  await watches.recheck();
  assert.deepEqual(
    sessions.map(({ watching }) => watching?.size),
    [0, 0],
  );
  assert.equal(asked.filter((pair) => pair === `jun ${PRIVATE_ROOM}`).length, 2);
});

test('all watches of public rooms are checked within ten rounds, though others begin and end all the time', async () => {
  const { watches, watch, crowd, refused } = rig();
  await crowd(10);
  const banned = await watch('jun', ['lobby']);
  await watches.recheck();
  refused.add('jun');
  for (let round = 0; round < 20 && banned.watching?.size === 1; round++) {
    const restless = await crowd(2, `restless${round}-`);
    await watches.recheck();
    if (round < 5) for (const session of restless) watches.unwatchAll(session);
  }
  assert.equal(banned.watching?.size, 0);
});

test('a round has a maximum, and ended watches are not checked', async () => {
  const { watches, crowd, asked } = rig();
  const others = await crowd(30);
  await watches.recheck();
  assert.equal(asked.length, 500);
  for (const session of others) watches.unwatchAll(session);
  await watches.recheck();
  assert.equal(asked.length, 500);
});
