/**
 * The rooms that wait for archiving, shared by all archivers. A worker claims rooms for a limited
 * time. If it dies, its claims end and the rooms return to the queue. Every call rejects with the
 * store's error.
 */
import { type RedisStore, runScript } from '@maru/redis-store';
import { archiveKeys } from '../keys.ts';
import { SCRIPTS } from './scripts.ts';

export interface Claim {
  room: string;
  /** The time since which the room waits, in milliseconds of Redis' clock. */
  since: number;
}

export interface RoomQueue {
  /**
   * Extends the claims of `held` and adds at most `count` new ones. Returns the worker's claims.
   */
  claim(worker: string, held: readonly Claim[], count: number): Promise<Claim[]>;
  /** `since` 0 means that no work is left in the room. Otherwise it returns to the queue. */
  release(worker: string, rooms: readonly Claim[]): Promise<void>;
  /** Adds rooms that wait from now on, unless they are already in the queue. */
  add(rooms: readonly string[]): Promise<void>;
  state(): Promise<{ rooms: number; ageMs: number }>;
  /** Gateways then trim the logs of these rooms. */
  askForTrim(rooms: readonly string[]): Promise<void>;
  /** Whether this archiver scans for the next `ttlMs`. Only one archiver does. */
  holdScan(worker: string, ttlMs: number): Promise<boolean>;
}

const { dirty, claims, holders, trim, scanner } = archiveKeys;

export function createRoomQueue(store: RedisStore, { claimMs }: { claimMs: number }): RoomQueue {
  return {
    async claim(worker, held, count) {
      const args = [worker, claimMs, count, JSON.stringify(held.map(({ room }) => room))];
      const [kept, fresh] = (await runScript(store, SCRIPTS.claimRooms, [dirty, claims, holders], args)) as string[][];
      const stillHeld = new Set(kept);
      const found = held.filter(({ room }) => stillHeld.has(room));
      for (let index = 0; index < (fresh?.length ?? 0); index += 2)
        found.push({ room: fresh?.[index] as string, since: Number(fresh?.[index + 1]) });
      return found;
    },

    async release(worker, rooms) {
      if (rooms.length === 0) return;
      const list = JSON.stringify(rooms.map(({ room, since }) => [room, Math.floor(since)]));
      await runScript(store, SCRIPTS.releaseRooms, [dirty, claims, holders], [worker, list]);
    },

    async add(rooms) {
      if (rooms.length === 0) return;
      await runScript(store, SCRIPTS.addRooms, [dirty], [JSON.stringify(rooms)]);
    },

    async state() {
      const [rooms, ageMs] = (await runScript(store, SCRIPTS.queueState, [dirty, holders], [])) as [number, number];
      return { rooms, ageMs };
    },

    async askForTrim(rooms) {
      if (rooms.length > 0) await runScript(store, SCRIPTS.askForTrim, [trim], [JSON.stringify(rooms)]);
    },

    async holdScan(worker, ttlMs) {
      return (await runScript(store, SCRIPTS.holdScan, [scanner], [worker, ttlMs])) === 1;
    },
  };
}
