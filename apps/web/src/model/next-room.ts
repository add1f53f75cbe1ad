/** Which room the keyboard goes to next. Pure. */

export interface RoomStop {
  room: string;
  /** The room has unread messages. */
  isUnread: boolean;
}

/** Null if there is no other room. Wraps around at the ends of the list. */
export function nextRoom(
  rooms: readonly RoomStop[],
  current: string,
  { step, unreadOnly }: { step: 1 | -1; unreadOnly: boolean },
): string | null {
  const at = rooms.findIndex(({ room }) => room === current);
  const start = at === -1 && step === -1 ? rooms.length : at;
  for (let i = 1; i <= rooms.length; i++) {
    const stop = rooms[(start + i * step + rooms.length * 2) % rooms.length];
    if (stop !== undefined && stop.room !== current && (!unreadOnly || stop.isUnread)) return stop.room;
  }
  return null;
}
