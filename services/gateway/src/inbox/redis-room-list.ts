/** Lists of rooms in Redis: one hash for each user, in its own slot. */
import { LIMITS, MaruError, type Notify } from '@maru/protocol';
import { loadScript, type RedisStore, runScript, type Script } from '@maru/redis-store';
import { roomRolesKey, userRoomListKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import type { ListedAs, ListedRoom, Listing, RoomList } from './room-list.ts';

const listScript = loadScript(new URL('./list-room.lua', import.meta.url));
const readScript = loadScript(new URL('./read-list.lua', import.meta.url));
const dropScript = loadScript(new URL('./drop-listed.lua', import.meta.url));

/**
 * After this time, a membership has started or failed, because a call of the store takes less than
 * 1 s.
 */
const SETTLING_MS = 60_000;
/**
 * If the second write took longer, the process or the store was paused. Then the room is listed
 * again, long before a repair may remove it.
 */
const SLOW_MS = 10_000;
/** Maximum places in lists that a node remembers, and for how long. */
const ENSURED_MAX = 50_000;
const ENSURED_MS = 3_600_000;

export function createRedisRoomList(options: {
  store: RedisStore;
  now: () => number;
  /** A list could not be repaired. The next read tries again. */
  onFailed: (error: unknown) => void;
}): RoomList {
  const { store, now, onFailed } = options;
  /** For each `user LF room`: when to check its place in the list again. Oldest first. */
  const ensured = new Map<string, number>();

  const run = async (script: Script, userId: string, args: Array<string | number>): Promise<unknown> => {
    try {
      return await runScript(store, script, [userRoomListKey(userId)], args);
    } catch (error) {
      throw unavailable(error);
    }
  };

  const list = async (userId: string, room: string, as: ListedAs, notify: string, ifMissing: boolean) => {
    const args = [room, as, notify, LIMITS.roomsPerUserMax, ifMissing ? '1' : '0'];
    const [outcome, value] = (await run(listScript, userId, args)) as ['new' | 'known' | 'full', string];
    if (outcome === 'full')
      throw new MaruError('conflict', `a user is a member of at most ${LIMITS.roomsPerUserMax} rooms`);
    return { isNew: outcome === 'new', value };
  };

  const read = async (userId: string, room: string): Promise<ListedRoom[]> => {
    const [clockMs, flat] = (await run(readScript, userId, [room])) as [number, string[]];
    return decodeList(clockMs, flat);
  };

  const drop = async (userId: string, rooms: Array<[room: string, stamp: string]>): Promise<void> => {
    if (rooms.length > 0) await run(dropScript, userId, [JSON.stringify(rooms.flat())]);
  };

  const listingOf = (userId: string, room: string, added: { isNew: boolean; value: string }): Listing => {
    const sinceMs = now();
    return {
      settle() {
        if (now() - sinceMs > SLOW_MS) list(userId, room, 'member', '', false).catch(onFailed);
      },
      undo() {
        if (added.isNew) drop(userId, [[room, added.value]]).catch(onFailed);
      },
    };
  };

  return {
    async add(userId, room) {
      return listingOf(userId, room, await list(userId, room, 'member', '', false));
    },

    async remove(userId, room) {
      try {
        const settled = (await read(userId, room)).filter(({ isSettled }) => isSettled);
        if (settled.length === 0) return;
        // The user may have become a member again.
        const key = roomRolesKey(room);
        if ((await store.at(key, (redis) => redis.hexists(key, userId))) === 1) return;
        await drop(userId, stampsOf(settled));
      } catch (error) {
        onFailed(error);
      }
    },

    ensure(userId, room) {
      const key = `${userId}\n${room}`;
      const nowMs = now();
      if ((ensured.get(key) ?? 0) > nowMs) return;
      ensured.delete(key);
      if (ensured.size >= ENSURED_MAX) {
        const oldest = ensured.keys().next();
        if (!oldest.done) ensured.delete(oldest.value);
      }
      ensured.set(key, nowMs + ENSURED_MS);
      list(userId, room, 'member', '', true).catch((error: unknown) => {
        ensured.delete(key);
        onFailed(error);
      });
    },

    async set(userId, room, as, notify) {
      await list(userId, room, as, notify ?? '', false);
    },

    async unfollow(userId, room) {
      const key = userRoomListKey(userId);
      await store
        .at(key, (redis) => redis.hdel(key, room))
        .catch((error: unknown) => {
          throw unavailable(error);
        });
    },

    read: (userId) => read(userId, ''),

    async repair(userId, inVain) {
      await drop(userId, stampsOf(inVain.filter(({ isSettled }) => isSettled))).catch(onFailed);
    },
  };
}

const stampsOf = (rooms: readonly ListedRoom[]): Array<[string, string]> =>
  rooms.map(({ room, stamp }) => [room, stamp]);

function decodeList(clockMs: number, flat: string[]): ListedRoom[] {
  const rooms: ListedRoom[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [room, stamp] = [flat[at] as string, flat[at + 1] as string];
    const [listedMs, as, notify] = stamp.split(' ');
    rooms.push({
      room,
      as: as === 'follow' ? 'follow' : 'member',
      notify: notify as Notify,
      isSettled: clockMs - Number(listedMs) >= SETTLING_MS,
      stamp,
    });
  }
  // Order by UTF-16 units. For room ids this is the byte order.
  return rooms.sort((a, b) => (a.room < b.room ? -1 : 1));
}
