/** The name of a room in lists and titles. Pure. */
import type { MyRoom } from '@maru/protocol/events';
import { type Names, nameOf } from './names.ts';

export interface RoomName {
  name: string;
  /** The room is named after a person, so no `#` precedes the name. */
  isPerson: boolean;
}

/** Prefers a title to the id. */
export function nameOfMyRoom({ room, title, last, with: other }: MyRoom, names: Names): RoomName {
  if (other !== undefined) {
    const name = names.get(other) ?? (last?.from.id === other ? last.from.name : nameOf(names, other));
    return { name, isPerson: true };
  }
  return { name: title || room, isPerson: false };
}
