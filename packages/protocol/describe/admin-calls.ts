/** Descriptions of the calls under `/admin` for the OpenAPI document. */
import { httpSchemas, roomId, userId } from '../src/schemas.ts';
import { type Call, type Parameter, queryOf } from './http-call.ts';
import { jsonSchemaOf } from './json-schema.ts';

const inPath = (name: string, schema: Parameter['schema']): Parameter => ({ name, in: 'path', required: true, schema });
const user = inPath('id', jsonSchemaOf(userId));
const room = inPath('room', jsonSchemaOf(roomId));
const node = inPath('node', jsonSchemaOf(httpSchemas.node));
const MISSING = 'missing names nodes that did not answer in time.';

export const ADMIN_CALLS = {
  revokeUser: {
    method: 'post',
    path: '/admin/users/{id}/revoke',
    summary: 'Ends every connection of a user within a second, and all tokens issued so far',
    description: 'Needs the role admin. A token that is issued from the next second on is valid.',
    parameters: [user],
    body: jsonSchemaOf(httpSchemas.revoke),
    isBodyOptional: true,
    success: { 200: 'The time of the revocation, in milliseconds since 1970' },
    errors: ['too_large'],
  },
  disconnectUser: {
    method: 'post',
    path: '/admin/users/{id}/disconnect',
    summary: 'Ends every connection of a user within a second; the user may come back',
    description: 'Needs the role admin.',
    parameters: [user],
    body: jsonSchemaOf(httpSchemas.disconnect),
    isBodyOptional: true,
    success: { 200: 'The order was given to all nodes' },
    errors: ['too_large'],
  },
  closeRoom: {
    method: 'post',
    path: '/admin/rooms/{room}/close',
    summary: 'Closes a room: no user enters, reads or writes until it is opened',
    description: 'Needs the role admin. Members get the room event removed. Nothing is deleted.',
    parameters: [room],
    success: { 200: 'The seq of the act' },
    errors: ['not_found', 'conflict'],
  },
  openRoom: {
    method: 'post',
    path: '/admin/rooms/{room}/open',
    summary: 'Opens a closed room again',
    description: 'Needs the role admin.',
    parameters: [room],
    success: { 200: 'The seq of the act' },
    errors: ['not_found', 'conflict'],
  },
  readAudit: {
    method: 'get',
    path: '/admin/audit',
    summary: 'A page of the audit, newest first',
    description:
      'Needs the role admin. kind is acts unless given. A page with filters may be empty and have a cursor. An answer without cursor is the last page.',
    parameters: queryOf(httpSchemas.audit),
    success: { 200: 'Events' },
    errors: [],
  },
  listNodes: {
    method: 'get',
    path: '/admin/nodes',
    summary: 'The gateways, what they carry, and whether Redis, presence and the archive answer them',
    description: 'Needs the role admin. Each gateway reports every 5 seconds.',
    success: { 200: 'The reports, by name' },
    errors: [],
  },
  drainNode: {
    method: 'post',
    path: '/admin/nodes/{node}/drain',
    summary: 'Hands over all connections of a gateway, then ends its process',
    description: 'Needs the role admin. Whatever started the process decides whether it starts again.',
    parameters: [node],
    success: { 200: 'The order was given' },
    errors: ['not_found'],
  },
  rebalanceNode: {
    method: 'post',
    path: '/admin/nodes/{node}/rebalance',
    summary: 'Advises a quarter of the connections of a gateway to reconnect within 30 seconds',
    description: 'Needs the role admin.',
    parameters: [node],
    success: { 200: 'The order was given' },
    errors: ['not_found'],
  },
  announce: {
    method: 'post',
    path: '/admin/announcements',
    summary: 'Sends the notice announcement to every connection',
    description: 'Needs the role admin. Who connects later does not get it.',
    body: jsonSchemaOf(httpSchemas.announcement),
    success: { 200: 'The order was given to all nodes' },
    errors: ['too_large'],
  },
  listSettings: {
    method: 'get',
    path: '/admin/settings',
    summary: 'The settings of the gateway that answers, without secrets',
    description: 'Needs the role admin. The value of a secret is null; so is that of a setting that is not set.',
    success: { 200: 'The settings' },
    errors: [],
  },
  listUsers: {
    method: 'get',
    path: '/admin/users',
    summary: 'Users who are connected, in the order of their ids',
    description: `Needs the role admin. q is a part of an id or a name. ${MISSING}`,
    parameters: queryOf(httpSchemas.users),
    success: { 200: 'A page of users' },
    errors: [],
  },
  readUser: {
    method: 'get',
    path: '/admin/users/{id}',
    summary: 'The connections of a user, the rooms in the list of the user, and a revocation',
    description: `Needs the role admin. It also answers for users who are not connected. ${MISSING}`,
    parameters: [user],
    success: { 200: 'What is known of the user' },
    errors: [],
  },
  listAllRooms: {
    method: 'get',
    path: '/admin/rooms',
    summary: 'Rooms: public ones by id, or the busiest ones of all',
    description: `Needs the role admin. q is the beginning of the id of a public room, or the whole id of any room. order=activity gives one page. ${MISSING}`,
    parameters: queryOf(httpSchemas.roomsOfCluster),
    success: { 200: 'A page of rooms' },
    errors: [],
  },
  listReportedRooms: {
    method: 'get',
    path: '/admin/reports',
    summary: 'Rooms with open reports, those with the newest report first',
    description: 'Needs the role admin. GET /rooms/{room}/reports gives the reports of a room.',
    parameters: queryOf(httpSchemas.reportedRooms),
    success: { 200: 'Rooms' },
    errors: [],
  },
} satisfies Record<string, Call>;
