/** Rooms for administrators: their metadata, without messages. */
import { isPrivateRoomId, roomId, type Visibility } from '@maru/protocol';
import { type ReadCommand, type RedisStore, readMany } from '@maru/redis-store';
import { publicRoomsKey, roomLogKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';

export interface RoomOfCluster {
  room: string;
  title: string;
  visibility: Visibility;
  closed: boolean;
  readOnly: boolean;
  /** Number of users with a role. For a private room, all members. */
  roles: number;
  /** Entries in the hot log. */
  entries: number;
}

export interface RoomsOfCluster {
  /** Public rooms whose ids begin with `prefix`, in lexical order, after `cursor`. */
  page(query: { prefix: string; cursor: string | undefined; limit: number }): Promise<{
    rooms: RoomOfCluster[];
    cursor?: string;
  }>;
  /** The existing rooms among them, in the same order. */
  read(rooms: readonly string[]): Promise<RoomOfCluster[]>;
}

/** In lexical order, this is after every room id that begins with the prefix. */
const AFTER_PREFIX = '~';
const COMMANDS_PER_ROOM = 3;

/** Every call rejects `unavailable` if the store does not answer. */
export function createRoomsOfCluster({ store }: { store: RedisStore }): RoomsOfCluster {
  const read = async (rooms: readonly string[]): Promise<RoomOfCluster[]> => {
    const commands = rooms.flatMap((room): ReadCommand[] => [
      ['hmget', roomMetaKey(room), 'epoch', 'title', 'visibility', 'closed', 'readOnly', 'deleted'],
      ['hlen', roomRolesKey(room)],
      ['xlen', roomLogKey(room)],
    ]);
    const replies = await readMany(store, commands);
    return rooms.flatMap((room, index) => {
      const at = index * COMMANDS_PER_ROOM;
      const [epoch, title, visibility, closed, readOnly, deleted] = replies[at] as Array<string | null>;
      if (epoch == null || deleted != null) return [];
      return [
        {
          room,
          title: title ?? '',
          visibility: (visibility as Visibility | null) ?? (isPrivateRoomId(room) ? 'private' : 'public'),
          closed: closed === '1',
          readOnly: readOnly === '1',
          roles: Number(replies[at + 1]),
          entries: Number(replies[at + 2]),
        },
      ];
    });
  };

  const page: RoomsOfCluster['page'] = async ({ prefix, cursor, limit }) => {
    const first = prefix === '' ? '-' : `[${prefix}`;
    const from = cursor === undefined ? first : `(${cursor}`;
    const to = prefix === '' ? '+' : `(${prefix}${AFTER_PREFIX}`;
    const key = publicRoomsKey();
    const ids = await store.at(key, (redis) => redis.zrangebylex(key, from, to, 'LIMIT', 0, limit));
    // The full id of a private room, which is in no list.
    const isNamed = ids.length === 0 && cursor === undefined && roomId.safeParse(prefix).success;
    const rooms = await read(isNamed ? [prefix] : ids);
    const last = ids.at(-1);
    return ids.length === limit && last !== undefined ? { rooms, cursor: last } : { rooms };
  };

  const honest =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      call(...args).catch((error: unknown) => {
        throw unavailable(error);
      });
  return { page: honest(page), read: honest(read) };
}
