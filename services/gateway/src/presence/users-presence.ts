/**
 * Presence of single users. A reader sees users who are in the same room now, and members of the
 * reader's private and direct rooms. Other users are omitted, like users who do not exist.
 */
import { isDirectRoomId, isPrivateRoomId, type SeenUser } from '@maru/protocol';
import { type ReadCommand, type RedisStore, readMany } from '@maru/redis-store';
import { roomRolesKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import type { PresencePort } from './presence-port.ts';

/** Maximum private and direct rooms of the reader to compare. Direct rooms come first. */
const ROOMS_MAX = 500;
/** Rooms in one round trip. Most readers have fewer. */
const ROOMS_AT_ONCE = 50;

/** At most `LIMITS.presenceUsersMax` users. Rejects `unavailable`. */
export type UsersPresence = (reader: string, users: string[]) => Promise<SeenUser[]>;

export function createUsersPresence(options: {
  store: RedisStore;
  presence: Pick<PresencePort, 'users'>;
  /** The ids of the rooms in the user's list. */
  roomsOf: (userId: string) => Promise<string[]>;
}): UsersPresence {
  const { store, presence, roomsOf } = options;

  const membersAmong = async (reader: string, users: readonly string[]): Promise<Set<string>> => {
    const found = new Set<string>();
    const all = await roomsOf(reader);
    const rooms = [...all.filter(isDirectRoomId), ...all.filter(isPrivateRoomId)].slice(0, ROOMS_MAX);
    for (let start = 0; start < rooms.length; start += ROOMS_AT_ONCE) {
      const wanted = users.filter((user) => !found.has(user));
      if (wanted.length === 0) break;
      const part = rooms.slice(start, start + ROOMS_AT_ONCE);
      const reads = part.map((room): ReadCommand => ['hmget', roomRolesKey(room), reader, ...wanted]);
      for (const reply of (await readMany(store, reads)) as Array<Array<string | null>>) {
        const [ownRole, ...roles] = reply;
        // The list of rooms may be older than the room.
        if (ownRole !== null)
          for (const [index, role] of roles.entries()) if (role !== null) found.add(wanted[index] as string);
      }
    }
    return found;
  };

  return async (reader, users) => {
    const all = await presence.users(reader, users);
    const far = all.filter(({ id, isNear }) => !isNear && id !== reader).map(({ id }) => id);
    const members = await membersAmong(reader, far).catch((error: unknown) => {
      throw unavailable(error);
    });
    return all.flatMap(({ isNear, ...user }) => (isNear || user.id === reader || members.has(user.id) ? [user] : []));
  };
}
