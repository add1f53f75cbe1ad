/** The room in the address, `#/room-id`, which makes links to rooms possible. */
import { isRoomId } from '@maru/client';

export const DEFAULT_ROOM = 'lobby';

/** Null if the address contains no valid room id. */
export function roomOfHash(hash: string): string | null {
  const room = hash.startsWith('#/') ? hash.slice(2) : '';
  return isRoomId(room) ? room : null;
}

/** Room ids need no escaping, because a fragment allows all their characters. */
export const hashOfRoom = (room: string): string => `#/${room}`;

/**
 * Normalises a typed room name: capitals, a leading #, surrounding spaces. Other errors are
 * reported, not corrected.
 */
export const normalizeRoom = (typed: string): string => typed.trim().replace(/^#\/?/, '').toLowerCase();
