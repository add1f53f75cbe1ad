/**
 * Presence in Redis. A method is one script or a few reads. It is atomic within one room, node or
 * user, never across them. Callers MUST order the calls so that a crash between two of them leaves
 * too much to remove, never too little.
 *
 * All times are of the clock of Redis. Every method rejects with `unavailable` when Redis fails or
 * does not answer in time. Whether the call took effect is then unknown.
 */
import { createNodeStore } from './node-store.ts';
import { createRoomStore } from './room-store.ts';
import { createScheduleStore } from './schedule-store.ts';
import type { ScriptRunner } from './script-runner.ts';
import { createUserStore } from './user-store.ts';

export type PresenceStore = ReturnType<typeof createPresenceStore>;

export function createPresenceStore(
  runner: ScriptRunner,
  options: { leaseMs: number; diffMs: number; horizonMs: number },
) {
  return {
    health: runner.health,
    ...createNodeStore(runner, options),
    ...createScheduleStore(runner, options),
    ...createRoomStore(runner, options),
    ...createUserStore(runner),
  };
}
