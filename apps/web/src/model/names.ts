/** Names of people of a room, by id: acts carry ids only. Pure. Its size is limited. */
import type { UserRef } from '@maru/protocol/events';

export type Names = ReadonlyMap<string, string>;

export const NAMES_MAX = 2_000;

/** Returns the same map if nothing is new. The names that were noted first are dropped first. */
export function noteNames(names: Names, people: Iterable<UserRef>): Names {
  let next: Map<string, string> | null = null;
  for (const { id, name } of people) {
    // Names are missing in large rooms.
    if (!name || (next ?? names).get(id) === name) continue;
    next ??= new Map(names);
    next.delete(id);
    next.set(id, name);
  }
  if (next === null) return names;
  for (const id of next.keys()) {
    if (next.size <= NAMES_MAX) break;
    next.delete(id);
  }
  return next;
}

export const nameOf = (names: Names, id: string): string => names.get(id) ?? id;
