/** Requests about presence. */
import type { PresencePort } from '../presence/presence-port.ts';
import type { PresenceWatches } from '../presence/presence-watches.ts';
import type { Handlers, MayRead } from './handler.ts';

export function presenceHandlers(parts: {
  presence: PresencePort;
  watches: PresenceWatches;
  mayRead: MayRead;
}): Pick<Handlers, 'presence:watch' | 'presence:set'> {
  const { presence, watches, mayRead } = parts;
  return {
    'presence:watch': async (session, { room }) => {
      await mayRead(session.user.id, room);
      return watches.watch(session, room);
    },
    'presence:set': async ({ user }, { status, text }) => {
      presence.setStatus(user.id, status, text);
      return { data: {} };
    },
  };
}
