/**
 * Trims rooms that grew while the archive was behind. Appends also trim, but a full store refuses
 * appends, and a quiet room has none. The archiver notes the rooms that it has caught up with.
 */
import { type RedisStore, runScript } from '@maru/redis-store';
import { archiveTrimKey } from '../keys.ts';
import { type Retention, TRIM_BATCH, trimCallOf } from './trim.ts';

const ROOMS_PER_ROUND = 8;
/** A room with more to remove goes back into the set. */
const CALLS_PER_ROOM = 64;

/** Trims the noted rooms once. Rejects with the store's error. */
export async function trimQueued(store: RedisStore, retention: Retention): Promise<void> {
  const key = archiveTrimKey();
  const rooms = await store.at(key, (redis) => redis.spop(key, ROOMS_PER_ROUND));
  for (const room of rooms) {
    const isDone = await trimRoom(store, room, retention).catch(() => false);
    if (!isDone) await store.at(key, (redis) => redis.sadd(key, room));
  }
}

async function trimRoom(store: RedisStore, room: string, retention: Retention): Promise<boolean> {
  const { script, args } = trimCallOf(room, retention);
  const keys = args.slice(0, script.keys.length).map(String);
  const rest = args.slice(script.keys.length);
  for (let calls = 0; calls < CALLS_PER_ROOM; calls++) {
    if ((await runScript(store, script, keys, rest)) !== TRIM_BATCH) return true;
  }
  return false;
}
