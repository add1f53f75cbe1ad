import { type ReadCommand, type RedisStore, readMany } from '@maru/redis-store';
import { publicRoomsKey, roomLogKey, roomMetaKey, roomRolesKey, userRoomsKey } from '../keys.ts';
import { deleteRoom } from '../rooms/delete-room.ts';
import { pagesOfRooms } from './pages-of-rooms.ts';

/** Rooms to look up in one round trip. */
const ROOMS_AT_ONCE = 500;
export interface RoomOfUser {
  room: string;
  visibility: 'public' | 'private';
  title: string;
  entries: number;
  members: number;
}

/**
 * The rooms that the user created, or in which the user wrote the first message, ordered by id. The
 * index contains both. A scan also finds rooms that are older than the index.
 */
export async function findRoomsOf(store: RedisStore, userId: string): Promise<RoomOfUser[]> {
  const key = userRoomsKey(userId);
  const claimed = await store.at(key, (redis) => redis.zrange(key, '0', '-1'));
  const claimedOwners = await ownersOf(store, claimed);
  // A claim may remain from a request that did not create the room. Another user may have created
  // it later.
  const ids = new Set(claimed.filter((_, index) => [null, userId].includes(claimedOwners[index] ?? null)));
  for (const { redis } of store.shards) {
    for await (const rooms of pagesOfRooms(redis)) {
      const owners = await ownersOf(store, rooms);
      for (const [index, room] of rooms.entries()) if (owners[index] === userId) ids.add(room);
    }
  }
  const sorted = [...ids].sort();
  const found: RoomOfUser[] = [];
  for (let start = 0; start < sorted.length; start += ROOMS_AT_ONCE)
    found.push(...(await describe(store, sorted.slice(start, start + ROOMS_AT_ONCE))));
  return found;
}

/**
 * The owners of rooms, in the same order. Null if a room has none, for example if a first message
 * created it.
 */
async function ownersOf(store: RedisStore, rooms: string[]): Promise<Array<string | null>> {
  const reads = rooms.map((room): ReadCommand => ['hget', roomMetaKey(room), 'owner']);
  return (await readMany(store, reads)) as Array<string | null>;
}

async function describe(store: RedisStore, rooms: string[]): Promise<RoomOfUser[]> {
  const reads = rooms.flatMap((room): ReadCommand[] => [
    ['hmget', roomMetaKey(room), 'visibility', 'title'],
    ['xlen', roomLogKey(room)],
    ['hlen', roomRolesKey(room)],
  ]);
  const replies = await readMany(store, reads);
  return rooms.map((room, index) => {
    const [visibility, title] = replies[3 * index] as [string | null, string | null];
    return {
      room,
      visibility: visibility === 'private' ? 'private' : 'public',
      title: title ?? '',
      entries: Number(replies[3 * index + 1]),
      members: Number(replies[3 * index + 2]),
    };
  });
}

/**
 * Deletes a room: its log, members, title, and places in lists. The lists come last, so an
 * interrupted call can be repeated.
 */
export async function deleteRoomOf(store: RedisStore, userId: string, room: string): Promise<void> {
  await deleteRoom(store, room, '');
  await store.at(publicRoomsKey(), (redis) => redis.zrem(publicRoomsKey(), room));
  const key = userRoomsKey(userId);
  await store.at(key, (redis) => redis.zrem(key, room));
}
