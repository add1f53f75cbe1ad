/** The stored members of a room, for events that each of them receives. */
import { isDirectRoomId, LIMITS } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import { roomRolesKey } from '../keys.ts';

/**
 * Returns no members of a room that has more than `receiptMembersMax`. Rejects if the store does
 * not answer.
 */
export type MembersOf = (room: string) => Promise<readonly string[]>;

/** Caches the two users of at most `roomsMax` direct rooms, because they never change. */
export function createMembersOf(options: { store: RedisStore; roomsMax: number }): MembersOf {
  const { store, roomsMax } = options;
  /** The least recently used room is the first one. */
  const direct = new Map<string, readonly string[]>();

  const read = (room: string): Promise<string[]> => {
    const key = roomRolesKey(room);
    return store.at(key, async (redis) =>
      (await redis.hlen(key)) > LIMITS.receiptMembersMax ? [] : await redis.hkeys(key),
    );
  };

  return async (room) => {
    if (!isDirectRoomId(room)) return read(room);
    const members = direct.get(room) ?? (await read(room));
    direct.delete(room);
    // A room without members does not exist yet, or was deleted.
    if (members.length > 0) direct.set(room, members);
    if (direct.size > roomsMax) direct.delete(direct.keys().next().value as string);
    return members;
  };
}
