/** Requests about presence. */
import { ROOMS_PER_EVENT } from '../limits/answer-cost.ts';
import type { PresencePort } from '../presence/presence-port.ts';
import type { PresenceWatches } from '../presence/presence-watches.ts';
import type { Handlers, MayRead } from './handler.ts';

export function presenceHandlers(parts: {
  presence: PresencePort;
  watches: PresenceWatches;
  mayRead: MayRead;
}): Pick<Handlers, 'presence:watch' | 'presence:unwatch' | 'presence:set'> {
  const { presence, watches, mayRead } = parts;
  return {
    'presence:watch': async (session, { room }) => {
      await mayRead(session.user.id, room);
      return watches.watch(session, room);
    },
    'presence:unwatch': async (session, { room }) => {
      // Unwatching a room that is not watched is no error. The check hides rooms that the user may
      // not see.
      if (session.watching?.has(room)) watches.unwatch(session, room);
      else await mayRead(session.user.id, room);
      return { data: {} };
    },
    'presence:set': async (session, { status, text }) => {
      // The status is announced in each room.
      session.chargeEvents(session.subscriptions.size / ROOMS_PER_EVENT);
      // In the order of the requests, so the last status wins.
      await session.queues.run('status', () => presence.setStatus(session.user.id, status, text));
      return { data: {} };
    },
  };
}
