/** Calls about rooms and presence that have no client event. */
import { httpSchemas, LIMITS, type PresenceSnapshot, parsePayload, roomId } from '@maru/protocol';
import { ROOMS_PER_EVENT, USERS_PER_EVENT } from '../limits/answer-cost.ts';
import { oldestOf, type ReadResult } from '../log/room-log.ts';
import type { UsersPresence } from '../presence/users-presence.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import { infoOf, roleOf } from '../rooms/subscriptions.ts';
import { type Callers, type Route, signedIn } from './calls.ts';

export interface RoomDeps extends Callers {
  directory: Pick<RoomDirectory, 'listPublic'>;
  /** Rejects `not_found` if the user may not see the room. */
  state: (userId: string, room: string) => Promise<ReadResult>;
  /** Rejects `not_found` if the user may not see the room. */
  presence: (userId: string, room: string) => Promise<PresenceSnapshot>;
  usersPresence: UsersPresence;
  onlineCounts: (rooms: string[]) => Promise<Record<string, number>>;
}

export function roomRoutes(deps: RoomDeps): Route[] {
  const { userLimit } = deps;
  const member = signedIn(deps);
  return [
    {
      method: 'GET',
      path: '/rooms',
      handler: member(async (request, response, { user }) => {
        const { cursor, limit = LIMITS.pageEntriesDefault } = parsePayload(httpSchemas.rooms, request.query);
        userLimit.charge(user.id, limit / ROOMS_PER_EVENT);
        const page = await deps.directory.listPublic({ cursor, limit });
        userLimit.charge(user.id, (page.rooms.length - limit) / ROOMS_PER_EVENT);
        const counts = await deps.onlineCounts(page.rooms.map(({ room }) => room));
        const rooms = page.rooms.map((room) => ({ ...room, online: counts[room.room] ?? 0 }));
        response.json(page.cursor === undefined ? { rooms } : { rooms, cursor: page.cursor });
      }),
    },
    {
      method: 'GET',
      path: '/rooms/{room}',
      handler: member(async (request, response, { user }) => {
        const room = parsePayload(roomId, request.params.room);
        const read = await deps.state(user.id, room);
        const { epoch, head, n } = read;
        response.json({ room, role: roleOf(read), epoch, head, n, first: oldestOf(read), ...infoOf(room, read) });
      }),
    },
    {
      method: 'GET',
      path: '/rooms/{room}/presence',
      handler: member(async (request, response, { user }) => {
        const room = parsePayload(roomId, request.params.room);
        response.json(await deps.presence(user.id, room));
      }),
    },
    {
      method: 'GET',
      path: '/presence',
      handler: member(async (request, response, { user }) => {
        const { user: users } = parsePayload(httpSchemas.presence, request.query);
        userLimit.charge(user.id, users.length / USERS_PER_EVENT);
        response.json({ users: await deps.usersPresence(user.id, users) });
      }),
    },
  ];
}
