/** The part of a gateway that manages memberships. It may stop or pause after any of its writes. */
import type { InboxEvent } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import { createReadMyRooms } from '../../services/gateway/src/inbox/my-rooms.ts';
import { createRedisReadState } from '../../services/gateway/src/inbox/redis-read-state.ts';
import { createRedisRoomList } from '../../services/gateway/src/inbox/redis-room-list.ts';
import { userRoomListKey } from '../../services/gateway/src/keys.ts';
import { createRedisRoomLog } from '../../services/gateway/src/log/redis-room-log.ts';
import type { Act } from '../../services/gateway/src/log/room-log.ts';
import { createSeenPositions } from '../../services/gateway/src/log/seen-positions.ts';
import { createCarryOut } from '../../services/gateway/src/rooms/acts.ts';
import { createRoomDirectory } from '../../services/gateway/src/rooms/directory.ts';
import { createMemberLooks } from '../../services/gateway/src/rooms/member-looks.ts';
import { noteDeletions, noteMemberships } from '../../services/gateway/src/rooms/memberships.ts';

/** Longer than a membership takes to settle. */
const SETTLED_MS = 61_000;

/** Simulates that the user's room list was written long ago. */
export async function ageList(redis: Redis, user: string): Promise<void> {
  const key = userRoomListKey(user);
  for (const [room, value] of Object.entries(await redis.hgetall(key))) {
    const [ms, ...rest] = value.split(' ');
    await redis.hset(key, room, [Number(ms) - SETTLED_MS, ...rest].join(' '));
  }
}

/**
 * Called with the number of each step after the store executed it, before the node gets the answer.
 */
export type Step = (number: number) => Promise<unknown> | undefined;

/** No answer. */
const never = new Promise<never>(() => {});
export const healthy: Step = () => undefined;
/**
 * Simulates a process that dies after this many steps: it gets no answer, and sends nothing more.
 */
export const dead =
  (steps: number): Step =>
  (number) =>
    number >= steps ? never : undefined;

/** The part of a gateway that manages memberships and read positions. */
export function startNode(store: RedisStore, owner: string, step: Step) {
  let steps = 0;
  let ended = false;
  const told: InboxEvent[] = [];
  const stepping = async <T>(work: () => Promise<T>): Promise<T> => {
    if (ended) return never;
    const number = ++steps;
    const result = await work();
    const pause = step(number);
    if (pause === never) ended = true;
    await pause;
    return result;
  };
  const slow: RedisStore = { ...store, at: (key, command) => stepping(() => store.at(key, command)) };
  const seen = createSeenPositions({ roomsMax: 100 });
  const log = createRedisRoomLog({
    ...{ appendStore: store, readStore: slow, seen, deadlineMs: 2_000, waitReplicas: 0, onRefused() {}, now },
    retention: { entriesMin: 100, entriesMax: 100, ageMs: 3_600_000, emptyRoomTtlMs: 60_000, archive: false },
  });
  const roomList = createRedisRoomList({ store: slow, now, onFailed() {} });
  const readState = createRedisReadState({ store: slow, seen });
  const parts = {
    roomList,
    inbox: { tell: (_: readonly string[], event: InboxEvent) => void told.push(event) },
    room: createMemberLooks(slow),
  };
  const quota = { take: async () => 0, giveBack() {} };
  const act = (request: Parameters<typeof log.act>[0]) => stepping(() => log.act(request));
  const carryOut = noteMemberships(
    createCarryOut({
      log: { act, read: log.read },
      quota,
      audit: { recordOnce() {} },
      perSecond: 1,
      storeNow: Date.now,
    }),
    parts,
  );
  const directory = createRoomDirectory({
    ...{ store: slow, roomList, audit: { record() {} }, onUnlisted() {}, onDeleted() {} },
    claims: { create: async () => () => {} },
  });
  const readMyRooms = createReadMyRooms({ roomList, readState });
  return {
    told,
    steps: () => steps,
    create: () => directory.create(owner, { visibility: 'private', title: 'Tea' }),
    delete: (room: string) =>
      noteDeletions(directory.delete, parts)({ user: { id: owner, name: owner }, roles: [] }, room),
    act: (userId: string, room: string, what: Act, clientMsgId?: string) =>
      carryOut({ user: { id: userId, name: userId }, roles: [] }, { room, act: what, clientMsgId }),
    read: (userId: string, room: string, seq: number) => readState.move(userId, room, seq, true),
    mine: async (userId: string) => (await readMyRooms(userId, { limit: 50 })).data.rooms,
  };
}
const now = () => performance.now();
export type Node = ReturnType<typeof startNode>;
