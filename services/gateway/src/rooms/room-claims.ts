/**
 * Charges the user who makes a room permanent, by creating it or by its first message. The price is
 * one of the user's rooms, and bytes.
 */
import { isPrivateRoomId } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { roomMetaKey } from '../keys.ts';
import type { RoomQuota } from '../limits/room-quota.ts';
import { ROOM_BYTES } from '../limits/stored-bytes.ts';
import type { UserQuota } from '../limits/user-quota.ts';
import type { SeenPositions } from '../log/seen-positions.ts';
import { unavailable } from '../unavailable.ts';

/** Refunds the charge, because the room was not created. Never rejects. */
export type Unclaim = () => void;

export interface RoomClaims {
  /** False if the room is permanent. True if it may be empty, or if this node does not know. */
  mayBeEmpty(room: string): boolean;
  /**
   * Charges the user for creating the room. Rejects `conflict`, `rate_limited` or `unavailable`.
   */
  create(userId: string, room: string): Promise<Unclaim>;
  /** The same for the first message, if the room expires without one. */
  write(userId: string, room: string): Promise<Unclaim>;
}

const NOTHING_CLAIMED: Unclaim = () => {};

export function createRoomClaims(options: {
  store: RedisStore;
  seen: Pick<SeenPositions, 'headOf'>;
  quota: Pick<UserQuota, 'charge' | 'giveBack'>;
  rooms: RoomQuota;
}): RoomClaims {
  const { store, seen, quota, rooms } = options;

  const create = async (userId: string, room: string): Promise<Unclaim> => {
    const claim = await rooms.claim(userId, room);
    if (claim === undefined) return NOTHING_CLAIMED;
    // The room counts until it is released. So a user may create fewer rooms, but never more.
    const release = () => void rooms.release(userId, room, claim).catch(() => {});
    try {
      await quota.charge(userId, ROOM_BYTES);
    } catch (error) {
      release();
      throw error;
    }
    return () => {
      quota.giveBack(userId, ROOM_BYTES, 0);
      release();
    };
  };

  return {
    mayBeEmpty: (room) => !isPrivateRoomId(room) && seen.headOf(room) === 0,
    create,
    async write(userId, room) {
      const key = roomMetaKey(room);
      const expiresInMs = await store
        .at(key, (redis) => redis.pttl(key))
        .catch((error: unknown) => {
          throw unavailable(error);
        });
      // -1: the room is permanent. -2: it has expired, and the message creates it again, or it does
      // not exist.
      return expiresInMs === -1 ? NOTHING_CLAIMED : create(userId, room);
    },
  };
}
