/** Reads members of a room from Redis, for lists and inboxes. */
import type { Role } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import { roomMetaKey, roomRolesKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import type { MemberLooks } from './memberships.ts';

export function createMemberLooks(store: RedisStore): MemberLooks {
  const look = async <T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T> => {
    try {
      return await store.at(key, command);
    } catch (error) {
      throw unavailable(error);
    }
  };
  return {
    async roleOf(room, userId) {
      const key = roomRolesKey(room);
      return ((await look(key, (redis) => redis.hget(key, userId))) ?? undefined) as Role | undefined;
    },
    async titleOf(room) {
      const key = roomMetaKey(room);
      return (await look(key, (redis) => redis.hget(key, 'title'))) ?? '';
    },
    members(room) {
      const key = roomRolesKey(room);
      return look(key, (redis) => redis.hkeys(key));
    },
  };
}
