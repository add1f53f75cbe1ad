/** The acts on the room and its people that arrived since it was entered. Pure. */
import { actOf } from '@maru/client';
import type { Entry } from '@maru/protocol/events';

/** More are not shown. */
export const ACTS_MAX = 80;

/** Returns the same list if nothing is new. */
export function noteActs(acts: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const fresh = entries.filter((entry) => actOf(entry) !== null);
  return fresh.length === 0 ? acts : [...acts, ...fresh].slice(-ACTS_MAX);
}

/** The log was rolled back: acts above `head` no longer exist. */
export const rollBackActs = (acts: readonly Entry[], head: number): readonly Entry[] =>
  acts.filter(({ seq }) => seq <= head);
