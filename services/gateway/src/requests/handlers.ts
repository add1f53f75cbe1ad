/** Which part answers which event. Events of later parts are simply not in this table: they are unknown. */

import type { PresencePort } from '../presence/presence-port.ts';
import type { PresenceWatches } from '../presence/presence-watches.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import type { Membership } from '../rooms/subscriptions.ts';
import type { Typing } from '../rooms/typing.ts';
import type { Handlers } from './dispatch.ts';
import type { ReadHistory } from './read-history.ts';
import type { SendMessage } from './send-message.ts';

export function createHandlers(parts: {
  membership: Membership;
  directory: RoomDirectory;
  sendMessage: SendMessage;
  readHistory: ReadHistory;
  /** Rejects `not_found` where the user may not see the room. */
  mayRead: (userId: string, room: string) => Promise<void>;
  signalTyping: Typing;
  watches: PresenceWatches;
  presence: PresencePort;
}): Handlers {
  const { membership, directory, mayRead } = parts;
  return {
    'room:create': async ({ user }, request) => ({ data: await directory.create(user.id, request) }),
    'room:join': membership.join,
    'room:leave': membership.leave,
    'room:members': async ({ user }, request) => {
      await mayRead(user.id, request.room);
      return { data: await directory.members(request) };
    },
    'room:invite': async ({ user }, request) => {
      await directory.invite(user.id, request);
      return { data: {} };
    },
    // A join that was asked for just before may be what brings the room into being.
    'message:send': (session, request) =>
      session.afterLane(`room:${request.room}`, async () => ({ data: await parts.sendMessage(session.user, request) })),
    // One page at a time: what a connection can make this node hold is bounded by its largest page.
    'history:read': (session, request) =>
      session.inLane('reads', async () => {
        const { data, bytes } = await parts.readHistory(session.user.id, request);
        session.charge(bytes);
        return { data };
      }),
    typing: async (session, request) => {
      await parts.signalTyping(session, request);
      return { data: {} };
    },
    'presence:watch': async (session, { room }) => {
      await mayRead(session.user.id, room);
      return parts.watches.watch(session, room);
    },
    'presence:set': async ({ user }, { status, text }) => {
      parts.presence.setStatus(user.id, status, text);
      return { data: {} };
    },
  };
}
