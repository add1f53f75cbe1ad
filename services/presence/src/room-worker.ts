/**
 * Does the due work of rooms: ends grace periods and publishes differences. Any instance may take
 * any room. If an instance fails, another one takes the room when its claim ends.
 */
import { concurrently, type Logger, type Loop, startLoop } from '@maru/service-kit';
import type { PresenceMetrics } from './metrics.ts';
import type { Rooms } from './rooms.ts';
import { BOUNDS } from './settings.ts';
import type { PresenceStore } from './store/presence-store.ts';

/**
 * Pages of due users between two differences of a room, so that a huge room does not block others.
 */
const PAGES_MAX = 5;

export function startRoomWorker(options: {
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
    await store.releaseClaim('rooms', room, claim, nextAt);
  };

  return startLoop({
    pauseMs: BOUNDS.roomPauseMs,
    work: async () => {
      let claimed: number = BOUNDS.roomClaimMax;
      while (claimed === BOUNDS.roomClaimMax) {
        const { claim, members } = await store.claimDue('rooms', BOUNDS.roomClaimMax);
        claimed = members.length;
        await concurrently(members, BOUNDS.roomConcurrency, (room) => workOn(room, claim));
      }
    },
    onError: (error, isFirst) => {
      if (isFirst) logger.warn({ err: error }, 'rooms could not be updated; retrying');
    },
  });
}
