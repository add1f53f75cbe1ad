/** The room in the address, `#/room-id`, so that a link can be shared. */
import { isRoomId } from '@maru/client';

export const DEFAULT_ROOM = 'lobby';

/** Null where the address names no room, or something that cannot be one. */
export function roomOfHash(hash: string): string | null {
  const room = hash.startsWith('#/') ? hash.slice(2) : '';
  return isRoomId(room) ? room : null;
}

/** Room ids need no escaping: their characters are all allowed in a fragment. */
export const hashOfRoom = (room: string): string => `#/${room}`;

/** What people write when they mean a room: capitals, a leading #, spaces around. What remains wrong is told, not mended. */
export const normalizeRoom = (typed: string): string => typed.trim().replace(/^#\/?/, '').toLowerCase();
