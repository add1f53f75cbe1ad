/** Rooms: the records of their users, and the users as the last difference announced them. */
import { presenceDiffChannel } from '@maru/presence-api';
import { LIMITS, type PresenceSnapshot, type PresenceUser } from '@maru/protocol';
import type { ReadCommand } from '@maru/redis-store';
import { roomKeys } from '../keys.ts';
import { BOUNDS } from '../settings.ts';
import type { UserRecord } from '../tracker.ts';
import type { ScriptRunner } from './script-runner.ts';
import { runNamed } from './scripts.ts';

/** A record, and its exact text in Redis, which a commit compares. */
export interface StoredRecord {
  raw: string;
  record: UserRecord | undefined;
}

export interface RecordChange {
  userId: string;
  /** The text that was read. '' if there was none. */
  expected: string;
  record: UserRecord | undefined;
  shown: PresenceUser | undefined;
  dueAt: number | undefined;
}

export type CommitResult = { result: 'ok'; now: number; nextAt: number } | { result: 'conflict' | 'late' };

const parseRecord = (raw: string): UserRecord | undefined => (raw === '' ? undefined : (JSON.parse(raw) as UserRecord));

export function createRoomStore(runner: ScriptRunner, { diffMs, horizonMs }: { diffMs: number; horizonMs: number }) {
  return {
    async readUsers(room: string, userIds: string[]) {
      const { records, due, meta } = roomKeys(room);
      const keys = { records, due, meta };
      const [now, nextAt, ...raws] = await runNamed<[number, number, ...string[]]>(runner, 'readUsers', keys, userIds);
      return { now, nextAt, records: raws.map((raw): StoredRecord => ({ raw, record: parseRecord(raw) })) };
    },

    dueUsers: (room: string, limit: number): Promise<string[]> =>
      runNamed<string[]>(runner, 'dueUsers', { due: roomKeys(room).due }, [limit, horizonMs]),

    /** All changes or none. `notAfter` is a time of the clock of Redis, or 0 for no limit. */
    async commitUsers(room: string, changes: RecordChange[], notAfter: number): Promise<CommitResult> {
      const args = changes.flatMap((change) => [
        change.userId,
        change.expected,
        change.record === undefined ? '' : JSON.stringify(change.record),
        change.shown === undefined ? '' : JSON.stringify(change.shown),
        change.dueAt ?? 0,
      ]);
      const [result, now, nextAt] = await runNamed<['ok' | 'conflict' | 'late', number, number]>(
        runner,
        'commitUsers',
        roomKeys(room),
        [notAfter, diffMs, ...args],
      );
      return result === 'ok' ? { result, now, nextAt } : { result };
    },

    /** Publishes the room's next difference if it is due. */
    async flushRoom(room: string): Promise<{ published: boolean; nextAt: number }> {
      const args = [room, presenceDiffChannel(room), LIMITS.largeRoomUsers, BOUNDS.changesPerDiffMax, diffMs];
      const [published, nextAt] = await runNamed<[number, number]>(runner, 'flushRoom', roomKeys(room), args);
      return { published: published === 1, nextAt };
    },

    async readRoom(room: string): Promise<PresenceSnapshot & { version: number }> {
      const { shown, meta } = roomKeys(room);
      const [version, count, ...users] = await runNamed<[number, number, ...string[]]>(
        runner,
        'readRoom',
        { shown, meta },
        [LIMITS.largeRoomUsers],
      );
      if (count > LIMITS.largeRoomUsers) return { version, count };
      return { version, count, users: users.map((user) => JSON.parse(user) as PresenceUser) };
    },

    /**
     * The number of visible users and the version of the last difference of each room. Two reads,
     * not atomic.
     */
    async countRooms(rooms: string[]): Promise<Array<{ count: number; version: number }>> {
      const reads = rooms.map(roomKeys).flatMap(({ shown, meta }): ReadCommand[] => [
        ['hlen', shown],
        ['hget', meta, 'version'],
      ]);
      const replies = await runner.readMany('count', reads);
      return rooms.map((_, index) => ({
        count: Number(replies[2 * index] ?? 0),
        version: Number(replies[2 * index + 1] ?? 0),
      }));
    },
  };
}
