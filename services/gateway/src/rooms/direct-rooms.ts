/**
 * Direct rooms: one room for each pair of users, regardless of who opens it first, and also if both
 * open it at once.
 *
 * The writes go to different shards: first the id of the pair's room, then the two room lists, then
 * the room. After a crash between two writes, the next call completes the rest with the same id.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type CreateData, DIRECT_ROOM_PREFIX, MaruError } from '@maru/protocol';
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { RoomList } from '../inbox/room-list.ts';
import { directRoomKey, roomLogKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import type { RoomClaims, Unclaim } from './room-claims.ts';

export const createDirectScript = loadScript(
  new URL('./create-direct-room.lua', import.meta.url),
  new URL('../log/room-epoch.lua', import.meta.url),
);

export interface DirectRooms {
  /**
   * The direct room of both users, which is created if there is none. Rejects `invalid` for a room
   * with oneself, `conflict` or `rate_limited` if one of them has too many rooms, or `unavailable`.
   * `onCreated` is called if this call has created the room.
   */
  open(userId: string, otherId: string, onCreated?: (room: string) => void): Promise<CreateData>;
}

/** 128 random bits, as letters and digits of a room id. */
const directRoomId = (): string => DIRECT_ROOM_PREFIX + randomBytes(16).toString('hex');

/** The same for both orders. Hashed, because two user ids may be long. */
const pairOf = (...users: [string, string]): string =>
  createHash('sha256').update(JSON.stringify(users.sort())).digest('hex');

export function createDirectRooms(options: {
  store: RedisStore;
  claims: Pick<RoomClaims, 'create'>;
  list: Pick<RoomList, 'add' | 'ensure'>;
}): DirectRooms {
  const { store, claims, list } = options;
  /**
   * Calls in progress, by user and pair. Each call claims a room temporarily, so many concurrent
   * calls would reach the user's limit.
   */
  const opening = new Map<string, Promise<string>>();

  const storeCall = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw unavailable(error);
    }
  };

  const exists = async (room: string): Promise<boolean> => {
    const key = roomMetaKey(room);
    const [epoch, deleted] = await storeCall(store.at(key, (redis) => redis.hmget(key, 'epoch', 'deleted')));
    return epoch != null && deleted == null;
  };

  /** The id of the pair's room, and the claim if this call has chosen the id. */
  const chooseId = async (userId: string, pair: string): Promise<{ room: string; unclaim?: Unclaim }> => {
    const key = directRoomKey(pair);
    const known = await storeCall(store.at(key, (redis) => redis.get(key)));
    if (known !== null) return { room: known };
    const candidate = directRoomId();
    // Before the first write, so that nothing is stored for a user who is refused.
    const unclaim = await claims.create(userId, candidate);
    try {
      const chosen = await storeCall(store.at(key, (redis) => redis.set(key, candidate, 'NX', 'GET')));
      if (chosen === null) return { room: candidate, unclaim };
      unclaim();
      return { room: chosen };
    } catch (error) {
      // The id may be stored. Then the next call claims the room.
      unclaim();
      throw error;
    }
  };

  const create = async (room: string, userId: string, otherId: string): Promise<boolean> => {
    const mine = await list.add(userId, room);
    const theirs = await list.add(otherId, room).catch((error: unknown) => {
      mine.undo();
      throw error;
    });
    const keys = [roomMetaKey(room), roomLogKey(room), roomRolesKey(room)];
    const args = [randomBytes(8).toString('hex'), userId, otherId];
    try {
      return (await storeCall(runScript(store, createDirectScript, keys, args))) === 1;
    } finally {
      // Also after a failure, because the room may have been created.
      mine.settle();
      theirs.settle();
    }
  };

  const open = async (
    { userId, otherId, pair }: { userId: string; otherId: string; pair: string },
    onCreated?: (room: string) => void,
  ): Promise<string> => {
    const { room, unclaim: claimed } = await chooseId(userId, pair);
    if (claimed === undefined && (await exists(room))) {
      list.ensure(userId, room);
      list.ensure(otherId, room);
      return room;
    }
    const unclaim = claimed ?? (await claims.create(userId, room));
    // If this fails, the claim stays: the id is stored, and a retry finds the claim.
    if (await create(room, userId, otherId)) onCreated?.(room);
    else unclaim();
    return room;
  };

  return {
    async open(userId, otherId, onCreated) {
      if (otherId === userId) throw new MaruError('invalid', 'user: a direct room is with another user');
      const pair = pairOf(userId, otherId);
      const key = JSON.stringify([userId, pair]);
      let opened = opening.get(key);
      if (opened === undefined) {
        opened = open({ userId, otherId, pair }, onCreated).finally(() => opening.delete(key));
        opening.set(key, opened);
      }
      return { room: await opened, title: '', visibility: 'direct', role: 'member' };
    },
  };
}
