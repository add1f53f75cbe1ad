/** How a room is called in lists and titles. Pure. */
import type { MyRoom } from '@maru/protocol/events';
import { type Names, nameOf } from './names.ts';

export interface RoomName {
  name: string;
  /** A person's name has no `#` before it. */
  isPerson: boolean;
}

/** A title says more than an id. */
export function nameOfMyRoom({ room, title, last, with: other }: MyRoom, names: Names): RoomName {
  if (other !== undefined) {
    const name = names.get(other) ?? (last?.from.id === other ? last.from.name : nameOf(names, other));
    return { name, isPerson: true };
  }
  return { name: title || room, isPerson: false };
}
