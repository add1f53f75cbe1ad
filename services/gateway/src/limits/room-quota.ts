/**
 * The rooms that each user made: how many there may be, and how many an hour, over the whole
 * cluster. The list also tells operators whose rooms they are (`admin/user-rooms.ts`).
 */
import { MaruError } from '@maru/protocol';
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import { userRoomsKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { isGuest } from './stored-bytes.ts';

export const claimScript = loadScript(new URL('./claim-room.lua', import.meta.url));
const releaseScript = loadScript(new URL('./release-room.lua', import.meta.url));

export interface RoomQuota {
  /**
   * Notes the room as made by the user. Gives the claim (its time in ms), or undefined if the room
   * is noted already. Rejects `conflict` if the user has as many rooms as allowed, `rate_limited`,
   * or `unavailable`.
   */
  claim(userId: string, room: string): Promise<number | undefined>;
  /** The room was not made after all. Changes nothing if another request relied on the claim. */
  release(userId: string, room: string, claim: number): Promise<void>;
}

export function createRoomQuota(options: {
  store: RedisStore;
  limits: { userRoomsMax: number; guestRoomsMax: number; userRoomsPerHour: number; guestRoomsPerHour: number };
}): RoomQuota {
  const { store } = options;
  const { limits } = options;
  return {
    async claim(userId, room) {
      const key = userRoomsKey(userId);
      const [roomsMax, perHour] = isGuest(userId)
        ? [limits.guestRoomsMax, limits.guestRoomsPerHour]
        : [limits.userRoomsMax, limits.userRoomsPerHour];
      const [outcome, timeMs] = (await runScript(store, claimScript, [key], [room, roomsMax, perHour]).catch(
        (error: unknown) => {
          throw unavailable(error);
        },
      )) as [string, number?];
      if (outcome === 'full') throw new MaruError('conflict', `a user makes at most ${roomsMax} rooms`);
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
