/**
 * Routes of the page: `/`, `/rooms` (all public rooms), `/r/<room>`, and `/r/<room>/<seq>` for a
 * message. Also accepts addresses of earlier versions: `#/<room>` and `#/<room>/<seq>`.
 */
import { isRoomId } from '@maru/client';

export const DEFAULT_ROOM = 'lobby';

export interface Address {
  room: string;
  /** The message to show. Null: the reader's last position, or the newest message. */
  seq: number | null;
}

export type Route =
  | { view: 'start' }
  | { view: 'rooms' }
  | ({ view: 'room' } & Address)
  /** An address whose room name is not valid. */
  | { view: 'nowhere'; typed: string };

export interface Place {
  pathname: string;
  hash: string;
}

/** The seq in an address. Null if it has none. */
const seqOf = (digits: string | undefined): number | null => Number(digits ?? 0) || null;

/** The route of an address of an earlier version. */
function legacyRoute(hash: string): Route | null {
  const [, room = '', digits] = /^#\/([^/]*)(?:\/(\d{1,15}))?$/.exec(hash) ?? [];
  return isRoomId(room) ? { view: 'room', room, seq: seqOf(digits) } : null;
}

export function routeOf({ pathname, hash }: Place): Route {
  const legacy = legacyRoute(hash);
  if (legacy !== null) return legacy;
  if (/^\/rooms\/?$/.test(pathname)) return { view: 'rooms' };
  const [, typed, digits] = /^\/r\/([^/]+)(?:\/(\d{1,15}))?\/?$/.exec(pathname) ?? [];
  if (typed === undefined) return { view: 'start' };
  const room = normalizeRoom(decoded(typed));
  return isRoomId(room) ? { view: 'room', room, seq: seqOf(digits) } : { view: 'nowhere', typed: decoded(typed) };
}

/** Room ids need no escaping. */
export const pathOf = ({ room, seq }: Address): string => `/r/${room}${seq === null ? '' : `/${seq}`}`;

export const pathOfRoom = (room: string): string => pathOf({ room, seq: null });

export function pathOfRoute(route: Route): string {
  switch (route.view) {
    case 'start':
      return '/';
    case 'rooms':
      return '/rooms';
    case 'room':
      return pathOf(route);
    case 'nowhere':
      return `/r/${encodeURIComponent(route.typed)}`;
  }
}

/** Whether the click asks for a new tab or window. */
export const isOtherTab = (click: Pick<MouseEvent, 'ctrlKey' | 'metaKey' | 'shiftKey'>): boolean =>
  click.ctrlKey || click.metaKey || click.shiftKey;

/**
 * Normalizes a typed room name: lower case, no leading #, no spaces around it. Other errors are
 * reported, not corrected.
 */
export const normalizeRoom = (typed: string): string => typed.trim().replace(/^#\/?/, '').toLowerCase();

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
