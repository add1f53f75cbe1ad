/**
 * A slow scan of all rooms in Redis. It queues rooms that differ from the archive: after lost
 * hints, deletions and new epochs without a hint, rooms that are older than the archive, and after
 * a restore of the archive. Only one archiver scans at a time.
 */

import { epochNumber } from '@maru/archive-db';
import type { RedisStore } from '@maru/redis-store';
import { type Logger, type Loop, startLoop } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import type { KnownRoom, RoomArchive } from './archive/room-archive.ts';
import { roomMetaPattern, roomOfMetaKey } from './keys.ts';
import type { ArchiverMetrics } from './metrics.ts';
import type { RoomQueue } from './store/room-queue.ts';
import type { RoomLook, RoomStore } from './store/room-store.ts';

export interface ScanOptions {
  redis: RedisStore;
  store: RoomStore;
  archive: RoomArchive;
  queue: RoomQueue;
  metrics: ArchiverMetrics;
  logger: Logger;
  /** A name that no other process has. */
  worker: string;
  periodMs: number;
  keysPerSecond: number;
  now: () => number;
}

/** Number of keys in one step. */
const STEP_KEYS = 500;
/** Another archiver takes over if the scanner is silent for this long. */
const HOLD_MS = 30_000;
const ROOMS_AT_ONCE = 32;

export function startScan(options: ScanOptions): Loop {
  const { redis, queue, metrics, logger, worker, periodMs, keysPerSecond, now } = options;
  const stepMs = (STEP_KEYS / keysPerSecond) * 1_000;
  let stopping = false;
  let wake = () => {};
  let nextAt = 0;

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const scanShard = async (shard: Redis): Promise<number> => {
    let behind = 0;
    let cursor = '0';
    do {
      const startedAt = now();
      const [next, keys] = await shard.scan(cursor, 'MATCH', roomMetaPattern(), 'COUNT', STEP_KEYS);
      const rooms = [...new Set(keys)].map(roomOfMetaKey).filter((room) => room !== undefined);
      behind += await compare(rooms, options);
      cursor = next;
      if (!(await queue.holdScan(worker, HOLD_MS))) throw new Error('another archiver scans');
      if (cursor !== '0' && !stopping) await pause(Math.max(0, stepMs - (now() - startedAt)));
    } while (cursor !== '0' && !stopping);
    return behind;
  };

  const scan = async () => {
    if (now() < nextAt) return;
    if (!(await queue.holdScan(worker, HOLD_MS))) {
      metrics.behindEntries.set(0);
      return;
    }
    let behind = 0;
    for (const shard of redis.shards) if (!stopping) behind += await scanShard(shard.redis);
    if (stopping) return;
    nextAt = now() + periodMs;
    metrics.behindEntries.set(behind);
    metrics.scans.inc();
  };

  const loop = startLoop({
    // Also the interval at which an archiver asks whether it should scan.
    pauseMs: Math.min(periodMs, HOLD_MS / 3),
    work: scan,
    onError: (error, isFirst) => {
      metrics.failures.inc({ part: 'scan' });
      if (isFirst) logger.warn({ err: error }, 'the scan of all rooms failed; trying again');
    },
  });
  return {
    stop() {
      stopping = true;
      wake();
      return loop.stop();
    },
  };
}

/** Returns the number of entries that the archive lacks. */
async function compare(rooms: readonly string[], { store, archive, queue, metrics }: ScanOptions): Promise<number> {
  if (rooms.length === 0) return 0;
  const known = await archive.look(rooms);
  const different: string[] = [];
  let behind = 0;
  for (let start = 0; start < rooms.length; start += ROOMS_AT_ONCE) {
    const part = rooms.slice(start, start + ROOMS_AT_ONCE);
    const looks = await Promise.all(part.map((room) => store.look(room)));
    for (const [index, room] of part.entries()) {
      const look = looks[index] as RoomLook;
      if (!differs(look, known.get(room))) continue;
      different.push(room);
      if (!look.deleted) behind += Math.max(0, look.head - (known.get(room)?.position ?? 0));
    }
  }
  metrics.foundRooms.inc(different.length);
  await queue.add(different);
  return behind;
}

function differs(look: RoomLook, known: KnownRoom | undefined): boolean {
  if (look.importing) return false;
  if (known === undefined) return !look.deleted && look.head > 0;
  if (look.deleted) return epochNumber(known.epoch) < look.cleared;
  return (
    look.epoch !== known.epoch ||
    look.head !== known.position ||
    look.archived !== known.position ||
    look.archivedFrom !== known.first
  );
}
