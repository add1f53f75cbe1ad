/**
 * Public rooms with open reports, for administrators, who have no rights in private rooms. The
 * reports of a room are the source of truth. This list is written after them, so a crash in between
 * can lose a room from the list until its next report.
 */
import { isPrivateRoomId } from '@maru/protocol';
import { type ReadCommand, type RedisStore, readMany } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { reportedRoomsKey, roomReportsKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';

/** Maximum rooms in the list. Above it, the rooms with the oldest reports are dropped. */
const ROOMS_MAX = 10_000;

export interface ReportedRoom {
  room: string;
  reports: number;
  /** When the newest report was made, in milliseconds of the store's clock. */
  lastTs: number;
}

export interface ReportedRooms {
  /** Ignores private rooms. Does not wait, and never throws. */
  note(room: string): void;
  /** The rooms with the newest reports first. Rejects `unavailable`. */
  list(limit: number): Promise<ReportedRoom[]>;
}

export function createReportedRooms(options: {
  store: RedisStore;
  storeNow: () => number;
  logger: Logger;
}): ReportedRooms {
  const { store, storeNow, logger } = options;
  const key = reportedRoomsKey();

  const add = async (room: string): Promise<void> => {
    await store.at(key, (redis) => redis.zadd(key, Math.floor(storeNow()), room));
    await store.at(key, (redis) => redis.zremrangebyrank(key, 0, -(ROOMS_MAX + 1)));
  };

  const readOnce = async (limit: number) => {
    const found = await store.at(key, (redis) => redis.zrevrange(key, 0, limit - 1, 'WITHSCORES'));
    const rooms = found.flatMap((room, index) => (index % 2 === 0 ? [{ room, lastTs: Number(found[index + 1]) }] : []));
    const counts = await readMany(
      store,
      rooms.map(({ room }): ReadCommand => ['hlen', roomReportsKey(room)]),
    );
    const counted = rooms.map((one, index) => ({ ...one, reports: Number(counts[index]) }));
    // Gateways of an earlier release noted private rooms.
    const isMeant = ({ room, reports }: ReportedRoom) => reports > 0 && !isPrivateRoomId(room);
    const others = counted.filter((one) => !isMeant(one));
    // This may remove a room that gets a report at this moment. Its next report adds it again.
    if (others.length > 0) await store.at(key, (redis) => redis.zrem(key, ...others.map(({ room }) => room)));
    return { rooms: counted.filter(isMeant), removed: others.length };
  };

  /** Reads again while it removes rooms, because they took the places of others. */
  const read = async (limit: number): Promise<ReportedRoom[]> => {
    let found = await readOnce(limit);
    for (let looked = limit; found.removed > 0 && looked < ROOMS_MAX; looked += limit) found = await readOnce(limit);
    return found.rooms;
  };

  return {
    note(room) {
      if (isPrivateRoomId(room)) return;
      add(room).catch((error: unknown) => logger.warn({ err: error }, 'a reported room was not listed'));
    },
    list: (limit) =>
      read(limit).catch((error: unknown) => {
        throw unavailable(error);
      }),
  };
}
