/**
 * Opens a new epoch of every room. This is needed after an old copy of the store was restored and
 * all gateways were restarted, because then no gateway remembers that the logs were longer
 * (docs/decisions/0013).
 */
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import { roomLiveChannel, roomLogKey, roomMetaKey } from '../keys.ts';
import { pagesOfRooms } from './pages-of-rooms.ts';

const script = loadScript(
  new URL('./open-epoch.lua', import.meta.url),
  new URL('../log/room-epoch.lua', import.meta.url),
);

/** Maximum rooms in progress. */
const ROOMS_AT_ONCE = 64;
/** Number of characters of the server's `run_id` to use. An epoch has no space for more. */
const CANDIDATE_CHARS = 20;

export interface Tally {
  /** Rooms that got a new epoch, or would in a dry run. */
  opened: number;
  /** Rooms that an earlier call finished since the server's last start. */
  done: number;
}

/**
 * Processes the rooms of each server, in pages. The server's `run_id` identifies the restore: each
 * start of the server creates a new one, and an old copy can only be restored by a start. So a
 * second call, after an interruption or by mistake, processes only the remaining rooms. Rejects
 * with the store's error; finished rooms stay finished.
 */
export async function openEpochs(options: {
  store: RedisStore;
  dryRun: boolean;
  onPage: (tally: Tally) => void;
}): Promise<Tally> {
  const { store, dryRun } = options;
  const tally: Tally = { opened: 0, done: 0 };
  for (const { redis } of store.shards) {
    const candidate = await runIdOf(redis);
    const openOne = async (room: string) => {
      const keys = [roomMetaKey(room), roomLogKey(room), roomLiveChannel(room)];
      const args = [candidate, dryRun ? '1' : '0'];
      const outcome = await runScript(store, script, keys, args);
      if (outcome === 'opened') tally.opened++;
      else if (outcome === 'done') tally.done++;
    };
    for await (const rooms of pagesOfRooms(redis)) {
      for (let i = 0; i < rooms.length; i += ROOMS_AT_ONCE)
        await Promise.all(rooms.slice(i, i + ROOMS_AT_ONCE).map(openOne));
      options.onPage(tally);
    }
  }
  return tally;
}

async function runIdOf(redis: Redis): Promise<string> {
  const [, runId] = /^run_id:([0-9a-f]+)/m.exec(await redis.info('server')) ?? [];
  if (runId === undefined) throw new Error('the store does not report its run_id');
  return runId.slice(0, CANDIDATE_CHARS);
}
