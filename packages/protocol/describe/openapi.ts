/** OpenAPI 3.1 of the HTTP API. Pure. */

import type { EventCallName } from '../src/calls.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '../src/errors.ts';
import { httpSchemas, roomId, userId } from '../src/schemas.ts';
import { problem } from './answer-shapes.ts';
import { type HttpOperation, httpAnswerSchemas } from './answers.ts';
import { describeEventCalls } from './event-calls.ts';
import { type Call, type Parameter, queryOf } from './http-call.ts';
import { componentSchemas, type Json, type JsonObject, jsonSchemaOf } from './json-schema.ts';

const user: Parameter = { name: 'id', in: 'path', required: true, schema: jsonSchemaOf(userId) };
const room: Parameter = { name: 'room', in: 'path', required: true, schema: jsonSchemaOf(roomId) };

const OTHER_CALLS: Record<Exclude<HttpOperation, EventCallName>, Call> = {
  createGuest: {
    method: 'post',
    path: '/guests',
    summary: 'A token for a guest, where guests are switched on',
    body: jsonSchemaOf(httpSchemas.guest),
    success: { 201: 'A token, and whom it names' },
    errors: ['not_found', 'too_large'],
    isPublic: true,
  },
  listRooms: {
    method: 'get',
    path: '/rooms',
    summary: 'Public rooms in the order of their ids, with how many are online',
    description: 'cursor is that of the page before; an answer without one is the last page.',
    parameters: queryOf(httpSchemas.rooms),
    success: { 200: 'A page of rooms' },
    errors: [],
  },
  readRoom: {
    method: 'get',
    path: '/rooms/{room}',
    summary: 'The settings of a room, the role of the caller, and where its log is',
    parameters: [room],
    success: { 200: 'What a join answers, without entries' },
    errors: ['not_found'],
  },
  readPresence: {
    method: 'get',
    path: '/rooms/{room}/presence',
    summary: 'Who is online in a room',
    parameters: [room],
    success: { 200: 'A snapshot' },
    errors: ['not_found'],
  },
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
};

const CALLS: Record<HttpOperation, Call> = { ...OTHER_CALLS, ...describeEventCalls() };

/** `forbidden`: a web page of an origin that is not allowed. */
const ALWAYS: ErrorCode[] = ['invalid', 'forbidden', 'rate_limited', 'internal', 'unavailable'];

export function describeHttp(options: { version: string }): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const [operationId, call] of Object.entries(CALLS) as Array<[HttpOperation, Call]>) {
    const item = paths[call.path] ?? {};
    item[call.method] = operation(operationId, call);
    paths[call.path] = item;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Maru: HTTP API',
      version: options.version,
      description:
        'For bots and back ends, and for what a client needs before it connects. Errors are problems of RFC 9457 with the codes of the acknowledgements. Ignore fields that are not described here: more may come.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://localhost:8080/api/v1' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      responses: {
        ...Object.fromEntries(
          (Object.keys(ERROR_CATALOGUE) as ErrorCode[]).map((code) => [code, problemResponse(code)]),
        ),
        methodNotAllowed: {
          description: 'The address takes other methods; the code is invalid',
          headers: { Allow: { required: true, schema: { type: 'string' } } },
          content: { 'application/problem+json': { schema: jsonSchemaOf(problem) } },
        },
      },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operation(operationId: HttpOperation, call: Call): JsonObject {
  const answer: Json = { 'application/json': { schema: jsonSchemaOf(httpAnswerSchemas[operationId]) } };
  const codes: ErrorCode[] = [...ALWAYS, ...call.errors, ...(call.isPublic ? [] : (['unauthenticated'] as const))];
  const responses: JsonObject = Object.fromEntries([
    ...Object.entries(call.success).map(([status, description]) => [status, { description, content: answer }]),
    ...codes.map((code) => [ERROR_CATALOGUE[code].httpStatus, { $ref: `#/components/responses/${code}` }]),
    [405, { $ref: '#/components/responses/methodNotAllowed' }],
  ]);
  return {
    operationId,
    summary: call.summary,
    ...(call.description === undefined ? {} : { description: call.description }),
    ...(call.isPublic ? { security: [] } : {}),
    ...(call.parameters === undefined ? {} : { parameters: call.parameters }),
    ...(call.body === undefined
      ? {}
      : {
          requestBody: {
            required: call.isBodyOptional !== true,
            content: { 'application/json': { schema: call.body } },
          },
        }),
    responses,
  };
}

function problemResponse(code: ErrorCode): JsonObject {
  const { title, retryable } = ERROR_CATALOGUE[code];
  const headers: JsonObject = {};
  if (retryable)
    headers['Retry-After'] = { required: true, description: 'Seconds', schema: { type: 'integer', minimum: 1 } };
  if (code === 'unauthenticated') headers['WWW-Authenticate'] = { required: true, schema: { const: 'Bearer' } };
  return {
    description: `${title}: ${code}${retryable ? ', retryable' : ''}`,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: { 'application/problem+json': { schema: jsonSchemaOf(problem) } },
  };
}
