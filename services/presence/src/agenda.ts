/** Does what is due in rooms: ends graces and announces differences. Any instance may take any room; what one leaves undone comes again. */
import type { Logger } from '@maru/service-kit';
import { concurrently } from './concurrently.ts';
import { type Loop, startLoop } from './loop.ts';
import type { PresenceMetrics } from './metrics.ts';
import type { Rooms } from './rooms.ts';
import { BOUNDS } from './settings.ts';
import type { PresenceStore } from './store/presence-store.ts';

/** Pages of ended graces between two differences of a room, so that a huge one does not hold up the others. */
const PAGES_MAX = 5;

export function startAgenda(options: {
  store: PresenceStore;
  rooms: Rooms;
  metrics: PresenceMetrics;
  logger: Logger;
}): Loop {
  const { store, rooms, metrics, logger } = options;

  const workOn = async (room: string, claim: number) => {
    for (let page = 0; page < PAGES_MAX; page++) {
      const due = await store.dueUsers(room, BOUNDS.pageMax);
      if (due.length === 0) break;
      await rooms.apply(
        room,
        due.map((userId) => ({ userId, event: { type: 'tick' } })),
      );
    }
    const { published, nextAt } = await store.flushRoom(room);
    if (published) metrics.diffs.inc();
    await store.releaseClaim('agenda', room, claim, nextAt);
  };

  return startLoop({
    pauseMs: BOUNDS.agendaTickMs,
    work: async () => {
      let taken: number = BOUNDS.agendaClaimMax;
      while (taken === BOUNDS.agendaClaimMax) {
        const { claim, members } = await store.claimDue('agenda', BOUNDS.agendaClaimMax);
        taken = members.length;
        await concurrently(members, BOUNDS.agendaConcurrency, (room) => workOn(room, claim));
      }
    },
    onError: (error, first) => {
      if (first) logger.warn({ err: error }, 'rooms cannot be worked on');
    },
  });
}
