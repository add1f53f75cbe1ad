/** Requests about rooms and their members, and typing. */
import { MEMBER_ANSWER_BYTES } from '../limits/answer-cost.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import type { CreateRoom, OpenDirectRoom } from '../rooms/memberships.ts';
import type { Subscriptions } from '../rooms/subscriptions.ts';
import type { Typing } from '../rooms/typing.ts';
import type { Session } from '../sessions/session.ts';
import type { Handlers, MayRead } from './handler.ts';

type RoomEvents = 'room:create' | 'room:join' | 'room:leave' | 'room:members' | 'typing';

export function roomHandlers(parts: {
  subscriptions: Subscriptions<Session>;
  createRoom: CreateRoom;
  directory: Pick<RoomDirectory, 'members'>;
  openDirectRoom: OpenDirectRoom;
  typing: Typing;
  mayRead: MayRead;
}): Pick<Handlers, RoomEvents> {
  const { subscriptions, createRoom, directory, openDirectRoom, typing, mayRead } = parts;
  return {
    'room:create': async ({ user }, request) => ({
      // The schema names another user for direct rooms only.
      data: await (request.user === undefined ? createRoom(user, request) : openDirectRoom(user, request.user)),
    }),
    'room:join': (session, request) => subscriptions.join(session, request),
    'room:leave': (session, request) => subscriptions.leave(session, request),
    'room:members': async (session, request) => {
      await mayRead(session.user.id, request.room);
      const { data, membersRead } = await directory.members(request);
      session.charge(membersRead * MEMBER_ANSWER_BYTES);
      return { data };
    },
    typing: async (session, request) => {
      await typing(session, request);
      return { data: {} };
    },
  };
}
