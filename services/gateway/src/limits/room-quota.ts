/**
 * Limits the rooms that a user creates in the whole cluster: public ones in total, and all within
 * an hour. From the list, operators also learn who created a room (`admin/user-rooms.ts`).
 */
import { isPrivateRoomId, LIMITS, MaruError } from '@maru/protocol';
import { loadScript, type ReadCommand, type RedisStore, readMany, runScript } from '@maru/redis-store';
import { roomMetaKey, userRoomsKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { isGuest } from './stored-bytes.ts';

export const claimScript = loadScript(new URL('./claim-room.lua', import.meta.url));
const releaseScript = loadScript(new URL('./release-room.lua', import.meta.url));

export interface RoomQuota {
  /**
   * Notes the room as created by the user. Returns the claim (its time in ms), or undefined if the
   * room is already noted. Rejects `conflict` if the user has as many rooms as allowed,
   * `rate_limited`, or `unavailable`.
   */
  claim(userId: string, room: string): Promise<number | undefined>;
  /** The room was not created. Changes nothing if another request relied on the claim. */
  release(userId: string, room: string, claim: number): Promise<void>;
}

/** Maximum rooms of a full list to check for deletion, oldest first. */
const LOOKED_AT_MAX = 1_000;
const HOUR_MS = 3_600_000;

export function createRoomQuota(options: {
  store: RedisStore;
  limits: { userRoomsMax: number; guestRoomsMax: number; userRoomsPerHour: number; guestRoomsPerHour: number };
}): RoomQuota {
  const { store } = options;
  const { limits } = options;

  /**
   * Removes deleted rooms from a full list. Those of the last hour stay, because they count towards
   * the hourly limit.
   */
  const forgetDeleted = async (key: string): Promise<boolean> => {
    const [seconds] = (await store.at(key, (redis) => redis.time())) as unknown as [number];
    const until = Number(seconds) * 1_000 - HOUR_MS;
    const rooms = await store.at(key, (redis) => redis.zrangebyscore(key, '-inf', until, 'LIMIT', 0, LOOKED_AT_MAX));
    const reads = rooms.map((room): ReadCommand => ['hmget', roomMetaKey(room), 'epoch', 'deleted']);
    const metas = (await readMany(store, reads)) as Array<[string | null, string | null]>;
    const gone = rooms.filter((_, index) => {
      const [epoch, deleted] = metas[index] ?? [];
      return epoch == null || deleted != null;
    });
    if (gone.length > 0) await store.at(key, (redis) => redis.zrem(key, ...gone));
    return gone.length > 0;
  };

  return {
    async claim(userId, room) {
      const key = userRoomsKey(userId);
      const [roomsMax, perHour] = isGuest(userId)
        ? [limits.guestRoomsMax, limits.guestRoomsPerHour]
        : [limits.userRoomsMax, limits.userRoomsPerHour];
      // Private and direct rooms are bounded like the room list of a user.
      const args = [room, roomsMax, perHour, roomsMax + LIMITS.roomsPerUserMax];
      const claim = () => runScript(store, claimScript, [key], args) as Promise<[string, number?]>;
      const claimed = async () => {
        const first = await claim();
        return first[0] === 'full' && (await forgetDeleted(key)) ? claim() : first;
      };
      const [outcome, timeMs] = await claimed().catch((error: unknown) => {
        throw unavailable(error);
      });
      if (outcome === 'full') {
        const most = isPrivateRoomId(room) ? `${args[3]} rooms` : `${roomsMax} public rooms`;
        throw new MaruError('conflict', `a user makes at most ${most}`);
      }
      if (outcome === 'wait' && timeMs !== undefined)
        throw new MaruError('rate_limited', `at most ${perHour} new rooms an hour`, { retryAfterMs: timeMs });
      return outcome === 'new' ? timeMs : undefined;
    },
    async release(userId, room, claim) {
      await runScript(store, releaseScript, [userRoomsKey(userId)], [room, claim]).catch((error: unknown) => {
        throw unavailable(error);
      });
    },
  };
}
