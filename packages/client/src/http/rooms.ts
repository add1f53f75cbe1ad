/** Room lists and room states without a connection. */
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
  /** Where the next page begins. Absent on the last page. */
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

/** `not_found`: the room does not exist, or the caller may not see it. */
export const readRoom = (target: HttpTarget, room: string): Promise<HttpResult<RoomState>> =>
  httpCall(target, { path: `/rooms/${encodeURIComponent(room)}` }, (body) =>
    isObject(body) && body.room === room ? (body as unknown as RoomState) : null,
  );

/** Presence of at most 100 users. Users who share no room with the caller are omitted. */
export const readPresence = (target: HttpTarget, users: readonly string[]): Promise<HttpResult<SeenUser[]>> =>
  httpCall(target, { path: '/presence', query: { user: users } }, (body) =>
    isObject(body) && Array.isArray(body.users) ? (body.users as SeenUser[]) : null,
  );
