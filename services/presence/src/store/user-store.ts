/** Users: the rooms that they are in, and their status. */
import type { UserPresence } from '@maru/presence-api';
import type { Status } from '@maru/protocol';
import { seenKey, userKeys } from '../keys.ts';
import { BOUNDS } from '../settings.ts';
import { DEFAULT_PROFILE, type Profile } from '../tracker.ts';
import type { ScriptRunner } from './script-runner.ts';
import { runNamed } from './scripts.ts';

function profileOf([status, text, version]: string[]): Profile {
  if (status === undefined || version === undefined) return DEFAULT_PROFILE;
  const profile: Profile = { status: status as Status, version: Number(version) };
  if (text !== undefined && text !== '') profile.text = text;
  return profile;
}

const allKeys = (userId: string) => ({ ...userKeys(userId), seen: seenKey(userId) });

type Read = [isPresent: number, isNear: number, status: string, text: string, seenMs: string];

function presenceOf(id: string, [isPresent, isNear, status, text, seenMs]: Read): UserPresence {
  const common = { id, isNear: isNear === 1 };
  if (isPresent === 1) {
    const shown = status === 'away' || status === 'dnd' ? status : 'online';
    return { ...common, status: shown, ...(text === '' ? {} : { text }) };
  }
  return { ...common, status: 'offline', ...(seenMs === '' ? {} : { lastSeenTs: Number(seenMs) }) };
}

export function createUserStore(runner: ScriptRunner) {
  return {
    /** Records that the user is in `rooms`. Returns the user's status. */
    async touchUser(userId: string, rooms: string[]): Promise<Profile> {
      return profileOf(await runNamed<string[]>(runner, 'touchUser', userKeys(userId), [BOUNDS.userKeepMs, ...rooms]));
    },

    /** The resulting status and the rooms to announce it in. Undefined if `notAfter` has passed. */
    async setStatus(userId: string, wanted: { status: Status; text?: string; ifAbsent: boolean }, notAfter: number) {
      const [status, text, version, ...rooms] = await runNamed<string[]>(runner, 'setStatus', userKeys(userId), [
        wanted.status,
        wanted.text ?? '',
        wanted.ifAbsent ? 1 : 0,
        BOUNDS.userKeepMs,
        notAfter,
      ]);
      if (status === undefined || text === undefined || version === undefined) return undefined;
      return { profile: profileOf([status, text, version]), rooms };
    },

    /** Stores a status that no report has announced yet. */
    async keepStatus(userId: string, wanted: { status: Status; text?: string; isOutside: boolean }): Promise<void> {
      const { status, text = '', isOutside } = wanted;
      const args = [status, text, isOutside ? 1 : 0, BOUNDS.userKeepMs, BOUNDS.seenKeepMs];
      await runNamed(runner, 'keepStatus', allKeys(userId), args);
    },

    /**
     * Forgets that the user was in the room until `leftMs`, unless the user entered again after
     * `readMs`.
     */
    async forgetVisit(userId: string, room: string, { leftMs, readMs }: { leftMs: number; readMs: number }) {
      await runNamed(runner, 'forgetVisit', allKeys(userId), [
        ...[room, readMs, leftMs, BOUNDS.seenKeepMs],
        BOUNDS.reportBudgetMs,
      ]);
    },

    /** The users as `reader` may see them, in the same order. */
    async readPresence(reader: string, userIds: readonly string[]): Promise<UserPresence[]> {
      const { rooms } = userKeys(reader);
      const newest = BOUNDS.comparedRoomsMax - 1;
      const own = await runner.call('readRooms', rooms, (redis) => redis.zrevrange(rooms, 0, newest));
      return Promise.all(
        userIds.map(async (id) => presenceOf(id, await runNamed(runner, 'readPresence', allKeys(id), own))),
      );
    },
  };
}
