/** Names of the people in a room, by id. Acts carry only ids. Pure and bounded. */
import type { UserRef } from '@maru/protocol/events';

export type Names = ReadonlyMap<string, string>;

export const NAMES_MAX = 2_000;

/** Adds names. Returns the same map if nothing is new. Drops the oldest names first. */
export function noteNames(names: Names, people: Iterable<UserRef>): Names {
  let next: Map<string, string> | null = null;
  for (const { id, name } of people) {
    // In large rooms, the server sends no names.
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
