/** The rooms to which the keyboard leads. Pure. */

export interface RoomStop {
  room: string;
  /** Something in it is unread. */
  isUnread: boolean;
}

/** Null if there is no other one. At an end of the list it begins at the other end. */
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
