/** OpenAPI 3.1 of the HTTP API. Pure. */

import type { EventCallName } from '../src/calls.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '../src/errors.ts';
import { LIMITS } from '../src/limits.ts';
import { httpSchemas, roomId, userId } from '../src/schemas.ts';
import { ADMIN_CALLS } from './admin-calls.ts';
import { problem } from './answer-shapes.ts';
import { type HttpOperation, httpAnswerSchemas } from './answers.ts';
import { describeEventCalls } from './event-calls.ts';
import { type Call, type Parameter, propertiesOf, queryOf } from './http-call.ts';
import { componentSchemas, type Json, type JsonObject, jsonSchemaOf } from './json-schema.ts';
import { SIGN_IN_CALLS } from './sign-in-calls.ts';

const room: Parameter = { name: 'room', in: 'path', required: true, schema: jsonSchemaOf(roomId) };

const job: Parameter = {
  name: 'job',
  in: 'path',
  required: true,
  schema: propertiesOf(httpSchemas.job).job as JsonObject,
};

const OTHER_CALLS: Record<Exclude<HttpOperation, EventCallName>, Call> = {
  ...ADMIN_CALLS,
  ...SIGN_IN_CALLS,
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
  readPresenceOfUsers: {
    method: 'get',
    path: '/presence',
    summary: 'Who of some users is online, and when the others were last seen',
    description:
      'Gives users who share a room with the caller: both are in the same room now, or members of the same private or direct room. Others are left out.',
    parameters: [
      {
        name: 'user',
        in: 'query',
        required: true,
        schema: { type: 'array', items: jsonSchemaOf(userId), minItems: 1, maxItems: LIMITS.presenceUsersMax },
        description: 'Repeated: user=mina&user=jun',
      },
    ],
    success: { 200: 'Those of the users whom the caller may see, in the order of the query' },
    errors: [],
  },
  exportMe: {
    method: 'get',
    path: '/me/export',
    summary: 'All entries that the caller wrote, oldest first, one JSON object a line',
    description:
      'Needs the archive. An answer whose last line is not the end was cut off: ask again with the cursor of the last whole line.',
    parameters: queryOf(httpSchemas.export),
    success: { 200: 'Lines of JSON' },
    errors: [],
    isLines: true,
  },
  eraseMe: {
    method: 'delete',
    path: '/me',
    summary: 'Erases the texts and reactions of the caller, who also leaves all private rooms',
    description:
      'Needs the archive. It continues after restarts. A call while it runs gives the same job. Tokens stay valid.',
    success: { 202: 'The job; the header Location is its address' },
    errors: [],
  },
  readJob: {
    method: 'get',
    path: '/me/jobs/{job}',
    summary: 'The state of a job of the caller, up to 30 days after its end',
    parameters: [job],
    success: { 200: 'The job' },
    errors: ['not_found'],
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
  const answer: Json = {
    [call.isLines ? 'application/jsonl' : 'application/json']: { schema: jsonSchemaOf(httpAnswerSchemas[operationId]) },
  };
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
