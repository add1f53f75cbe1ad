/**
 * Removes an erased user from private rooms and lists. If the user is the last owner of a room,
 * another owner is named first. A room without other members is deleted. Direct rooms stay, because
 * they also belong to the other user. Roles in public rooms stay too, and so do rooms that an
 * administrator has closed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@maru/archive-db';
import { isDirectRoomId, isPrivateRoomId, MaruError } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import type { RoomList } from '../inbox/room-list.ts';
import { roomReadsKey, roomRolesKey } from '../keys.ts';
import type { Act } from '../log/room-log.ts';
import type { Actor, CarryOut } from '../rooms/acts.ts';
import type { RoomDirectory } from '../rooms/directory.ts';

const ATTEMPTS_MAX = 5;
const RETRY_MS = 1_000;

export function createLeaveRooms(deps: {
  store: RedisStore;
  roomList: Pick<RoomList, 'read' | 'unfollow'>;
  carryOut: CarryOut;
  deleteRoom: RoomDirectory['delete'];
}): (job: Pick<Job, 'id' | 'userId' | 'userName'>) => Promise<void> {
  const { store, roomList, carryOut, deleteRoom } = deps;

  /** The next owner of the room, preferably a moderator. Undefined if there is no other member. */
  const heirOf = async (room: string, userId: string): Promise<string | undefined> => {
    const key = roomRolesKey(room);
    const roles = Object.entries(await store.at(key, (redis) => redis.hgetall(key)));
    const others = roles.filter(([user]) => user !== userId).sort(([a], [b]) => (a < b ? -1 : 1));
    return (others.find(([, role]) => role === 'moderator') ?? others[0])?.[0];
  };

  const handOn = async (actor: Actor, room: string): Promise<void> => {
    const heir = await heirOf(room, actor.user.id);
    if (heir === undefined) await deleteRoom(actor, room);
    else await carryOut(actor, { room, act: { type: 'role', user: heir, role: 'owner' } });
  };

  const leave = async (actor: Actor, room: string, clientMsgId: string): Promise<void> => {
    const act: Act = { type: 'leave', user: actor.user.id };
    for (let attempt = 1; ; attempt++) {
      try {
        await carryOut(actor, { room, clientMsgId, act });
        return;
      } catch (error) {
        if (!(error instanceof MaruError)) throw error;
        // The user is not a member, or the room is closed.
        if (error.code === 'not_found' || error.code === 'forbidden') return;
        if (attempt === ATTEMPTS_MAX || error.code === 'unavailable') throw error;
        if (error.code === 'conflict') await handOn(actor, room);
        else await sleep(error.toBody().retryAfterMs ?? RETRY_MS);
      }
    }
  };

  return async ({ id, userId, userName }) => {
    const actor: Actor = { user: { id: userId, name: userName }, roles: [] };
    for (const { room } of await roomList.read(userId)) {
      const reads = roomReadsKey(room);
      await store.at(reads, (redis) => redis.hdel(reads, userId));
      if (isDirectRoomId(room)) continue;
      if (isPrivateRoomId(room)) await leave(actor, room, `erase-${id}-leave`);
      await roomList.unfollow(userId, room);
    }
  };
}
