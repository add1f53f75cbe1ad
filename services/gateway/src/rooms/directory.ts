/** The rooms and their members. Every call rejects `unavailable` if the store does not answer. */
import { randomBytes } from 'node:crypto';
import {
  type CreateData,
  isPrivateRoomId,
  MaruError,
  type MembersData,
  PRIVATE_ROOM_PREFIX,
  type RequestOf,
  type Role,
} from '@maru/protocol';
import { loadScript, type ReadCommand, type RedisStore, readMany, runScript } from '@maru/redis-store';
import { publicRoomsKey, roomLogKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import { MEMBER_BYTES } from '../limits/stored-bytes.ts';
import type { UserQuota } from '../limits/user-quota.ts';
import { unavailable } from '../unavailable.ts';
import type { RoomClaims } from './room-claims.ts';

export const createScript = loadScript(new URL('./create-room.lua', import.meta.url));
export const inviteScript = loadScript(new URL('./invite-member.lua', import.meta.url));

export interface RoomDirectory {
  create(userId: string, request: RequestOf<'room:create'>): Promise<CreateData>;
  invite(userId: string, request: RequestOf<'room:invite'>): Promise<void>;
  /** The caller MUST have checked that the user may see the room. */
  members(request: RequestOf<'room:members'>): Promise<{ data: MembersData; membersRead: number }>;
  /** A page of public rooms in lexical order, after `cursor`. */
  listPublic(page: { cursor: string | undefined; limit: number }): Promise<{
    rooms: Array<{ room: string; title: string }>;
    cursor: string | undefined;
  }>;
  /**
   * Lists a public room. Called when a room is in use, because joining creates rooms without
   * listing them.
   */
  list(room: string): Promise<void>;
}

/** Members of one private room. */
const MEMBERS_MAX = 5_000;
/** 128 random bits, as letters and digits of a room id. */
const privateRoomId = () => PRIVATE_ROOM_PREFIX + randomBytes(16).toString('hex');

export function createRoomDirectory(options: {
  store: RedisStore;
  claims: Pick<RoomClaims, 'create'>;
  quota: Pick<UserQuota, 'charge' | 'giveBack'>;
  /** A room was created but could not be listed. */
  onUnlisted: (error: unknown) => void;
}): RoomDirectory {
  const { store, claims, quota } = options;

  const storeCall = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw unavailable(error);
    }
  };

  const list = (room: string) =>
    storeCall(async () => {
      if (!isPrivateRoomId(room)) await store.at(publicRoomsKey(), (redis) => redis.zadd(publicRoomsKey(), 0, room));
    });

  return {
    list,

    async create(userId, request) {
      const room = request.room ?? privateRoomId();
      const title = request.title ?? '';
      const epoch = `1.${randomBytes(8).toString('hex')}`;
      const keys = [roomMetaKey(room), roomLogKey(room), roomRolesKey(room)];
      const unclaim = await claims.create(userId, room);
      const created = await storeCall(() =>
        runScript(store, createScript, keys, [userId, epoch, request.visibility, title]),
      ).catch((error: unknown) => {
        // A retry gets another private id, so it claims another room.
        if (isPrivateRoomId(room)) unclaim();
        throw error;
      });
      if (created !== 1) {
        unclaim();
        throw new MaruError('conflict', 'a room with this id exists already');
      }
      // The room exists. If its shard of the list is unavailable, the room is added to the list
      // when the next member enters.
      await list(room).catch(options.onUnlisted);
      return { room, title, visibility: request.visibility, role: 'owner' };
    },

    async invite(userId, { room, user }) {
      if (!isPrivateRoomId(room)) throw new MaruError('invalid', 'room: anyone may join a public room uninvited');
      await quota.charge(userId, MEMBER_BYTES);
      const outcome = await storeCall(() =>
        runScript(store, inviteScript, [roomRolesKey(room)], [userId, user, MEMBERS_MAX]),
      );
      if (outcome !== 'ok') quota.giveBack(userId, MEMBER_BYTES, 0);
      if (outcome === 'not_found') throw new MaruError('not_found', 'there is no such room');
      if (outcome === 'forbidden') throw new MaruError('forbidden', 'only owners and moderators may invite');
      if (outcome === 'full') throw new MaruError('conflict', `a room has at most ${MEMBERS_MAX} members`);
    },

    async members({ room, cursor, limit }) {
      const roles = await storeCall(() => store.at(roomRolesKey(room), (redis) => redis.hgetall(roomRolesKey(room))));
      const after = Object.keys(roles)
        .sort()
        .filter((user) => cursor === undefined || user > cursor);
      const page = after.slice(0, limit);
      const members = page.map((user) => ({ user, role: roles[user] as Role }));
      const last = page.at(-1);
      const data = last !== undefined && after.length > page.length ? { members, cursor: last } : { members };
      return { data, membersRead: Object.keys(roles).length };
    },

    async listPublic({ cursor, limit }) {
      const from = cursor === undefined ? '-' : `(${cursor}`;
      const ids = await storeCall(() =>
        store.at(publicRoomsKey(), (redis) => redis.zrangebylex(publicRoomsKey(), from, '+', 'LIMIT', 0, limit)),
      );
      const reads = ids.map((id): ReadCommand => ['hmget', roomMetaKey(id), 'epoch', 'title']);
      const metas = (await storeCall(() => readMany(store, reads))) as Array<[string | null, string | null]>;
      const gone = ids.filter((_, index) => metas[index]?.[0] == null);
      // Empty rooms expire. Their names are removed from the list when a page contains them.
      if (gone.length > 0)
        await storeCall(() => store.at(publicRoomsKey(), (redis) => redis.zrem(publicRoomsKey(), ...gone)));
      const rooms = ids.flatMap((room, index) => {
        const [epoch, title] = metas[index] ?? [];
        return epoch == null ? [] : [{ room, title: title ?? '' }];
      });
      return { rooms, cursor: ids.length === limit ? ids.at(-1) : undefined };
    },
  };
}
