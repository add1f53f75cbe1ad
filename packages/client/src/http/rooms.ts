/** Lists and states of rooms, without a connection. */
import type { JoinData, SeenUser } from '@maru/protocol/events';
import { type HttpResult, type HttpTarget, httpCall, isObject } from './call.ts';

export interface ListedRoom {
  room: string;
  title: string;
  topic: string;
  online: number;
}

export interface RoomsPage {
  rooms: ListedRoom[];
  /** Where the next page begins; absent on the last one. */
  cursor?: string;
}

const listed = (value: unknown): ListedRoom[] => {
  if (!isObject(value) || typeof value.room !== 'string') return [];
  const { room, title, topic, online } = value;
  const textOf = (text: unknown) => (typeof text === 'string' ? text : '');
  return [{ room, title: textOf(title), topic: textOf(topic), online: typeof online === 'number' ? online : 0 }];
};

/** One page of the public rooms. */
export const listRooms = (
  target: HttpTarget,
  page: { cursor?: string; limit?: number } = {},
): Promise<HttpResult<RoomsPage>> =>
  httpCall(target, { path: '/rooms', query: { ...page } }, (body) => {
    if (!isObject(body) || !Array.isArray(body.rooms)) return null;
    const rooms = body.rooms.flatMap(listed);
    return typeof body.cursor === 'string' ? { rooms, cursor: body.cursor } : { rooms };
  });

export type RoomState = Omit<JoinData, 'messages' | 'recovered' | 'reason'>;

/** `not_found`: it does not exist, or is not open to the caller. */
export const readRoom = (target: HttpTarget, room: string): Promise<HttpResult<RoomState>> =>
  httpCall(target, { path: `/rooms/${encodeURIComponent(room)}` }, (body) =>
    isObject(body) && body.room === room ? (body as unknown as RoomState) : null,
  );

/** Presence of at most 100 users. Those with whom the caller shares no room are left out. */
export const readPresence = (target: HttpTarget, users: readonly string[]): Promise<HttpResult<SeenUser[]>> =>
  httpCall(target, { path: '/presence', query: { user: users } }, (body) =>
    isObject(body) && Array.isArray(body.users) ? (body.users as SeenUser[]) : null,
  );
