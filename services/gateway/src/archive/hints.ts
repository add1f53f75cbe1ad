/**
 * Informs the archiver about rooms with new entries. Noting a room only changes memory, so no
 * message waits for a hint. A lost hint delays the archive until the archiver's scan finds the
 * room.
 */
import type { RedisStore } from '@maru/redis-store';
import { archiveDirtyKey } from '../keys.ts';

const FLUSH_MS = 1_000;
/** Maximum rooms that wait for a flush. With 64 bytes for each id, they use at most 10 MB. */
const ROOMS_MAX = 100_000;
/** Rooms in one command. */
const ROOMS_PER_COMMAND = 1_000;

export interface ArchiveHints {
  /** The room has a new entry, or was deleted. Returns at once. */
  note(room: string): void;
  /** Sends the waiting hints once. */
  stop(): Promise<void>;
}

export function createArchiveHints(options: {
  store: RedisStore;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
  /** The store rejected hints, or there were too many. They are sent again if there is space. */
  onFailed: () => void;
}): ArchiveHints {
  const { store, storeNow, onFailed } = options;
  const key = archiveDirtyKey();
  let waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;

  const note = (room: string): void => {
    if (waiting.size < ROOMS_MAX || waiting.has(room)) waiting.add(room);
    else onFailed();
    timer ??= setTimeout(flushSoon, FLUSH_MS).unref();
  };

  const flushSoon = (): void => {
    timer = undefined;
    // One flush at a time, so that commands do not pile up on a slow store.
    if (flushing !== undefined) timer = setTimeout(flushSoon, FLUSH_MS).unref();
    else
      flushing = flush().finally(() => {
        flushing = undefined;
      });
  };

  const flush = async (): Promise<void> => {
    const rooms = [...waiting];
    waiting = new Set();
    const since = Math.floor(storeNow());
    for (let start = 0; start < rooms.length; start += ROOMS_PER_COMMAND) {
      const part = rooms.slice(start, start + ROOMS_PER_COMMAND);
      const members = part.flatMap((room) => [since, room]);
      // NX keeps the score: the time since which the room waits.
      await store
        .at(key, (redis) => redis.zadd(key, 'NX', ...members))
        .catch(() => {
          onFailed();
          for (const room of part) note(room);
        });
    }
  };

  return {
    note,
    async stop() {
      clearTimeout(timer);
      await flushing;
      clearTimeout(timer);
      await flush();
      clearTimeout(timer);
    },
  };
}
