/**
 * The order in which watches without a join are checked again. Checks go in laps over all watches
 * that there are when the lap begins, so a user cannot delay a check by watching more rooms. Pure.
 */
import { isPrivateRoomId } from '@maru/protocol';
import type { Session } from '../sessions/session.ts';

/** A user's watches of a room on connections that have not joined it. They share one check. */
export interface UnjoinedWatch {
  room: string;
  userId: string;
  sessions: Session[];
}

/** A lap takes this many rounds, unless a round would be smaller or larger than its limits. */
const LAP_ROUNDS = 10;
const ROUND_MIN = 100;
/** Each check is a small read of the store. */
const ROUND_MAX = 500;

type WatchedRooms = ReadonlyMap<string, ReadonlyMap<Session, unknown>>;

/**
 * Gives the next round of checks: those of private rooms first. Each kind of room has its own laps,
 * so watches of public rooms, which anyone may begin, do not delay private ones.
 */
export function createWatchChecks(rooms: WatchedRooms): () => UnjoinedWatch[] {
  const laps = [true, false].map((isPrivate) => createLap(() => unjoinedIn(rooms, isPrivate)));
  return () => laps.flatMap((next) => next());
}

function createLap(all: () => UnjoinedWatch[]): () => UnjoinedWatch[] {
  let left: UnjoinedWatch[] = [];
  let size = 0;
  return () => {
    if (left.length === 0) {
      left = all();
      size = Math.min(ROUND_MAX, Math.max(ROUND_MIN, Math.ceil(left.length / LAP_ROUNDS)));
    }
    return left.splice(0, size).filter(isThere);
  };
}

function unjoinedIn(rooms: WatchedRooms, isPrivate: boolean): UnjoinedWatch[] {
  const found: UnjoinedWatch[] = [];
  for (const [room, watchers] of rooms) {
    if (isPrivateRoomId(room) !== isPrivate) continue;
    const unjoined = [...watchers.keys()].filter(({ subscriptions }) => !subscriptions.has(room));
    for (const [userId, sessions] of Map.groupBy(unjoined, ({ user }) => user.id))
      found.push({ room, userId, sessions });
  }
  return found;
}

/** It has neither ended nor become a join since the lap began. */
const isThere = ({ room, sessions }: UnjoinedWatch): boolean =>
  sessions.some(({ watching, subscriptions }) => watching?.has(room) && !subscriptions.has(room));
