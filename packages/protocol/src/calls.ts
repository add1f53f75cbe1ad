/**
 * The HTTP calls that correspond to a client event, with the same payload, rights and answer. The
 * gateway serves this table, and the OpenAPI document describes it.
 *
 * Members of the payload come from the path (in braces), or from the query of GET and DELETE, or
 * from the JSON body of other methods. `clientMsgId` is the header `Idempotency-Key`.
 */
import type { RequestName } from './schemas.ts';

/** These events mean something on a connection only. */
export type ConnectionEvent = 'auth:renew' | 'room:join' | 'room:leave' | 'presence:watch' | 'presence:unwatch';
export type CallEvent = Exclude<RequestName, ConnectionEvent>;

export interface EventCall {
  event: CallEvent;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Under `/api/v1`. */
  path: string;
  /** Members of the payload that the method and path determine. */
  fixed?: Record<string, boolean>;
  /** Events that the query member `view` selects instead of `event`. */
  views?: Record<string, CallEvent>;
  /** Status of an answer; 200 unless given, and for a duplicate. */
  status?: 201;
}

const ROOM = '/rooms/{room}';
const MEMBER = `${ROOM}/members/{user}`;
const MESSAGE = `${ROOM}/messages/{seq}`;

/** By OpenAPI operation. */
export const EVENT_CALLS = {
  createRoom: { event: 'room:create', method: 'POST', path: '/rooms', status: 201 },
  updateRoom: { event: 'room:update', method: 'PATCH', path: ROOM },
  deleteRoom: { event: 'room:delete', method: 'DELETE', path: ROOM },
  listMembers: { event: 'room:members', method: 'GET', path: `${ROOM}/members` },
  inviteMember: { event: 'room:invite', method: 'PUT', path: MEMBER },
  quitRoom: { event: 'room:quit', method: 'DELETE', path: `${ROOM}/members/me` },
  setRole: { event: 'room:role', method: 'PUT', path: `${MEMBER}/role` },
  kickMember: { event: 'room:kick', method: 'POST', path: `${MEMBER}/kick` },
  banMember: { event: 'room:ban', method: 'POST', path: `${MEMBER}/ban` },
  unbanMember: { event: 'room:unban', method: 'POST', path: `${MEMBER}/unban` },
  muteMember: { event: 'room:mute', method: 'POST', path: `${MEMBER}/mute` },
  unmuteMember: { event: 'room:unmute', method: 'POST', path: `${MEMBER}/unmute` },
  listBans: { event: 'room:bans', method: 'GET', path: `${ROOM}/bans` },
  listReports: { event: 'room:reports', method: 'GET', path: `${ROOM}/reports` },
  closeReport: { event: 'room:report-close', method: 'DELETE', path: `${ROOM}/reports/{id}` },
  readMessages: {
    event: 'history:read',
    method: 'GET',
    path: `${ROOM}/messages`,
    views: { messages: 'messages:read' },
  },
  postMessage: { event: 'message:send', method: 'POST', path: `${ROOM}/messages`, status: 201 },
  editMessage: { event: 'message:edit', method: 'PATCH', path: MESSAGE },
  deleteMessage: { event: 'message:delete', method: 'DELETE', path: MESSAGE },
  reportMessage: { event: 'message:report', method: 'POST', path: `${MESSAGE}/report` },
  addReaction: {
    event: 'message:react',
    method: 'PUT',
    path: `${MESSAGE}/reactions/{emoji}`,
    fixed: { active: true },
  },
  removeReaction: {
    event: 'message:react',
    method: 'DELETE',
    path: `${MESSAGE}/reactions/{emoji}`,
    fixed: { active: false },
  },
  pinMessage: { event: 'message:pin', method: 'PUT', path: `${MESSAGE}/pin`, fixed: { active: true } },
  unpinMessage: { event: 'message:pin', method: 'DELETE', path: `${MESSAGE}/pin`, fixed: { active: false } },
  search: { event: 'search', method: 'GET', path: '/search' },
  listMyRooms: { event: 'rooms:mine', method: 'GET', path: '/me/rooms' },
  followRoom: { event: 'room:follow', method: 'PUT', path: '/me/rooms/{room}', fixed: { active: true } },
  unfollowRoom: { event: 'room:follow', method: 'DELETE', path: '/me/rooms/{room}', fixed: { active: false } },
  setReadPosition: { event: 'room:read', method: 'PUT', path: `${ROOM}/read-position` },
  listReaders: { event: 'room:readers', method: 'GET', path: `${ROOM}/readers` },
  showTyping: { event: 'typing', method: 'PUT', path: `${ROOM}/typing` },
  setStatus: { event: 'presence:set', method: 'PUT', path: '/me/status' },
} as const satisfies Record<string, EventCall>;

export type EventCallName = keyof typeof EVENT_CALLS;

/** Names of the path's members, in order. */
export const pathMembers = (path: string): string[] => Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
