/** Users: the rooms that they are in, and their status. */
import type { Status } from '@maru/protocol';
import { userKeys } from '../keys.ts';
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
      const { status } = userKeys(userId);
      const args = [wanted.status, wanted.text ?? '', wanted.isOutside ? 1 : 0, BOUNDS.userKeepMs];
      await runNamed(runner, 'keepStatus', { status }, args);
    },

    /** Forgets that the user was in the room, unless the user entered again after `seenMs`. */
    async forgetVisit(userId: string, room: string, seenMs: number): Promise<void> {
      await runNamed(runner, 'forgetVisit', userKeys(userId), [room, seenMs]);
    },
  };
}
