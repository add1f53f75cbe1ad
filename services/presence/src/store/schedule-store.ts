/**
 * Two schedules: rooms and nodes by the time of their next work. An instance claims what is due. If
 * it does not release a claim, another instance claims the same work after `BOUNDS.claimMs`.
 */
import { dueNodesKey, dueRoomsKey } from '../keys.ts';
import { BOUNDS } from '../settings.ts';
import type { ScriptRunner } from './script-runner.ts';
import { runNamed } from './scripts.ts';

export type Schedule = 'rooms' | 'nodes';

const KEYS: Record<Schedule, string> = { rooms: dueRoomsKey, nodes: dueNodesKey };

/**
 * @param options.horizonMs nothing is scheduled further ahead, except before the clock was set back
 */
export function createScheduleStore(runner: ScriptRunner, { horizonMs }: { horizonMs: number }) {
  return {
    /** Moves rooms to an earlier time, never to a later one. */
    async scheduleRooms(rooms: Map<string, number>): Promise<void> {
      if (rooms.size === 0) return;
      const args = [...rooms].flatMap(([room, at]) => [at, room]);
      await runner.call('schedule', dueRoomsKey, (redis) => redis.zadd(dueRoomsKey, 'LT', ...args));
    },

    async scheduleNode(node: string, at: number): Promise<void> {
      await runner.call('schedule', dueNodesKey, (redis) => redis.zadd(dueNodesKey, at, node));
    },

    async claimDue(schedule: Schedule, limit: number) {
      const [claim, ...members] = await runNamed<[number, ...string[]]>(
        runner,
        'claimDue',
        { schedule: KEYS[schedule] },
        [limit, BOUNDS.claimMs, horizonMs],
      );
      return { claim, members };
    },

    /** `nextAt` 0 removes the member, unless it was scheduled again during the claim. */
    async releaseClaim(schedule: Schedule, member: string, claim: number, nextAt: number): Promise<void> {
      await runNamed(runner, 'releaseClaim', { schedule: KEYS[schedule] }, [member, claim, nextAt]);
    },
  };
}
