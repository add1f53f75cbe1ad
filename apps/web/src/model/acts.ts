/** The acts on the room and its people since it was joined. Pure. */
import { actOf } from '@maru/client';
import type { Entry } from '@maru/protocol/events';

/** Older acts are dropped. */
export const ACTS_MAX = 80;

/** Adds new acts. Returns the same list if there are none. */
export function noteActs(acts: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const fresh = entries.filter((entry) => actOf(entry) !== null);
  return fresh.length === 0 ? acts : [...acts, ...fresh].slice(-ACTS_MAX);
}

/** The log was rolled back: acts above `head` no longer exist. */
export const rollBackActs = (acts: readonly Entry[], head: number): readonly Entry[] =>
  acts.filter(({ seq }) => seq <= head);
