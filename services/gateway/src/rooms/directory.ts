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
import type { Audit } from '../audit/audit.ts';
import type { RoomList } from '../inbox/room-list.ts';
import { publicRoomsKey, roomLogKey, roomMetaKey, roomRolesKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { type Actor, isAdmin } from './acts.ts';
import { deleteRoom } from './delete-room.ts';
import type { RoomClaims } from './room-claims.ts';

export const createScript = loadScript(
  new URL('./create-room.lua', import.meta.url),
  new URL('../log/room-epoch.lua', import.meta.url),
);

export interface RoomDirectory {
  create(userId: string, request: RequestOf<'room:create'>): Promise<CreateData>;
  /**
   * Deletes the room with all its data. Rejects `not_found`, or `forbidden` if the actor is neither
   * an owner nor an admin.
   */
  delete(actor: Actor, room: string): Promise<void>;
  /** The caller MUST have checked that the user may see the room. */
  members(request: RequestOf<'room:members'>): Promise<{ data: MembersData; membersRead: number }>;
  /** A page of public rooms in lexical order, after `cursor`. */
  listPublic(page: { cursor: string | undefined; limit: number }): Promise<{
    rooms: Array<{ room: string; title: string; topic: string }>;
    cursor: string | undefined;
  }>;
  /**
   * Lists a public room. Called when a room is in use, because joining creates rooms without
   * listing them.
   */
  list(room: string): Promise<void>;
}

/** 128 random bits, as letters and digits of a room id. */
const privateRoomId = () => PRIVATE_ROOM_PREFIX + randomBytes(16).toString('hex');

export function createRoomDirectory(options: {
  store: RedisStore;
  claims: Pick<RoomClaims, 'create'>;
  roomList: Pick<RoomList, 'add'>;
  audit: Audit;
  onDeleted: (room: string) => void;
  /** A room was created but could not be listed. */
  onUnlisted: (error: unknown) => void;
}): RoomDirectory {
  const { store, claims, roomList, audit } = options;

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
      const candidate = randomBytes(8).toString('hex');
      const keys = [roomMetaKey(room), roomLogKey(room), roomRolesKey(room)];
      const unclaim = await claims.create(userId, room);
      // Before the room is created, so that a crash in between loses no room.
      const listing = isPrivateRoomId(room)
        ? await roomList.add(userId, room).catch((error: unknown) => {
            unclaim();
            throw error;
          })
        : undefined;
      const created = await storeCall(() =>
        runScript(store, createScript, keys, [userId, candidate, request.visibility, title]),
      ).catch((error: unknown) => {
        // A retry gets another private id and claims another room.
        if (isPrivateRoomId(room)) unclaim();
        throw error;
      });
      listing?.settle();
      if (created !== 1) {
        unclaim();
        throw new MaruError('conflict', 'a room with this id exists already');
      }
      // The room exists. If its shard of the list is unavailable, the room is added to the list
      // when the next member enters.
      await list(room).catch(options.onUnlisted);
      return { room, title, visibility: request.visibility, role: 'owner' };
    },

    async delete(actor, room) {
      const event = { action: 'room.delete', by: actor.user.id, room };
      const outcome = await storeCall(() => deleteRoom(store, room, isAdmin(actor) ? '' : actor.user.id)).catch(
        (error: unknown) => {
          // The room may be gone, and a retry then finds none.
          if (isAdmin(actor)) audit.record({ ...event, outcome: 'unknown' });
          throw error;
        },
      );
      if (outcome === 'not_found') throw new MaruError('not_found', 'there is no such room');
      if (outcome === 'forbidden') throw new MaruError('forbidden', 'only owners and administrators delete a room');
      options.onDeleted(room);
      audit.record(event);
      // The room is gone. If its place in the list stays, the next reader of the list removes it.
      await storeCall(() => store.at(publicRoomsKey(), (redis) => redis.zrem(publicRoomsKey(), room))).catch(
        options.onUnlisted,
      );
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
      const reads = ids.map((id): ReadCommand => ['hmget', roomMetaKey(id), 'epoch', 'title', 'deleted', 'topic']);
      const metas = (await storeCall(() => readMany(store, reads))) as Array<Array<string | null>>;
      const gone = ids.filter((_, index) => isGone(metas[index]));
      // Empty rooms expire. Their names are removed from the list when a page contains them.
      if (gone.length > 0)
        await storeCall(() => store.at(publicRoomsKey(), (redis) => redis.zrem(publicRoomsKey(), ...gone)));
      const rooms = ids.flatMap((room, index) => {
        const [, title, , topic] = metas[index] ?? [];
        return isGone(metas[index]) ? [] : [{ room, title: title ?? '', topic: topic ?? '' }];
      });
      return { rooms, cursor: ids.length === limit ? ids.at(-1) : undefined };
    },
  };
}

const isGone = ([epoch, , deleted]: Array<string | null> = []): boolean => epoch == null || deleted != null;
