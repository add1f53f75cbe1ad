/**
 * AsyncAPI 3.0 of the Socket.IO events, from the cluster's view: it receives client events. Pure.
 */
import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from '../src/errors.ts';
import type { ServerEvents } from '../src/events.ts';
import { type RequestName, requestSchemas, resume } from '../src/schemas.ts';
import { errorBody } from './answer-shapes.ts';
import { answerSchemas, serverEventSchemas } from './answers.ts';
import { componentSchemas, type Json, type JsonObject, jsonSchemaOf } from './json-schema.ts';

/**
 * Errors that any event may return. `internal` and `unavailable` concern the cluster, not the
 * request.
 */
const ALWAYS: ErrorCode[] = ['invalid', 'rate_limited', 'internal', 'unavailable'];

/** Errors of acts on a room or a member. */
const ACT: ErrorCode[] = ['not_found', 'forbidden', 'conflict'];

const REQUESTS: Record<RequestName, { summary: string; codes: ErrorCode[] }> = {
  'auth:renew': {
    summary: 'Replaces the token of this connection by a newer one of the same user',
    codes: ['unauthenticated', 'forbidden'],
  },
  'room:create': {
    summary: 'Creates a public or private room, or gives the direct room of two users',
    codes: ['conflict'],
  },
  'room:join': {
    summary: 'Joins a room for this connection, and reads where it stands',
    codes: ['not_found', 'forbidden', 'conflict'],
  },
  'room:leave': { summary: 'Leaves a room; no error where it was not joined', codes: ['not_found'] },
  'room:members': {
    summary: 'A private room’s members; of a public one those with a role',
    codes: ['not_found', 'forbidden'],
  },
  'room:invite': { summary: 'Makes a user a member of a private room', codes: ['not_found', 'forbidden', 'conflict'] },
  'room:update': { summary: 'Changes a room’s title, topic or rules; for moderators', codes: ACT },
  'room:quit': { summary: 'Ends one’s own membership of a private room', codes: ACT },
  'room:delete': { summary: 'Deletes a room with all its data; for owners', codes: ['not_found', 'forbidden'] },
  'room:role': { summary: 'Gives a user a role; for owners', codes: ACT },
  'room:kick': {
    summary: 'Removes a user from a room: from a public one for a while, from a private one for good',
    codes: ACT,
  },
  'room:ban': { summary: 'Keeps a user out of a room', codes: ACT },
  'room:unban': { summary: 'Lifts a ban', codes: ACT },
  'room:mute': { summary: 'Keeps a user from writing in a room', codes: ACT },
  'room:unmute': { summary: 'Lifts a mute', codes: ACT },
  'room:bans': { summary: 'The bans and mutes of a room; for moderators', codes: ['not_found', 'forbidden'] },
  'message:report': {
    summary: 'Reports a message to the room’s moderators',
    codes: ['not_found', 'forbidden', 'conflict'],
  },
  'room:reports': { summary: 'The open reports of a room; for moderators', codes: ['not_found', 'forbidden'] },
  'room:report-close': { summary: 'Closes a report; for moderators', codes: ['not_found', 'forbidden'] },
  'message:send': {
    summary: 'Stores a message, once for each clientMsgId',
    codes: ['not_found', 'forbidden', 'too_large', 'conflict'],
  },
  'message:edit': {
    summary: 'Replaces the text of one’s own message',
    codes: ['not_found', 'forbidden', 'too_large', 'conflict'],
  },
  'message:delete': { summary: 'Deletes a message; its text is erased. For its author, or moderators', codes: ACT },
  'message:react': { summary: 'Adds or removes one’s own reaction', codes: ACT },
  'message:pin': { summary: 'Pins a message, or unpins it; for moderators, in a direct room for both', codes: ACT },
  'history:read': { summary: 'Reads a page of a room’s log', codes: ['not_found', 'forbidden', 'conflict'] },
  'messages:read': {
    summary: 'Reads messages without the entries between them: of the room, of a thread, or the pinned ones',
    codes: ['not_found', 'forbidden'],
  },
  search: {
    summary: 'Finds messages by their words, newest first, in the rooms that one may read',
    codes: ['not_found', 'forbidden'],
  },
  'rooms:mine': { summary: 'One’s own rooms, with the last message and what is unread', codes: [] },
  'room:follow': {
    summary: 'Puts a public room in one’s list, or removes it; chooses notifications of a room',
    codes: ['not_found', 'forbidden', 'conflict'],
  },
  'room:read': { summary: 'Moves one’s own read position; never back', codes: ['not_found', 'forbidden'] },
  'room:readers': { summary: 'The read positions of all members of a small room', codes: ACT },
  typing: { summary: 'Says that one is typing, or no longer', codes: ['not_found', 'forbidden'] },
  'presence:watch': {
    summary: 'Who is online in a room; differences follow as presence events',
    codes: ['not_found', 'forbidden'],
  },
  'presence:unwatch': { summary: 'Ends the presence events of a room', codes: ['not_found', 'forbidden'] },
  'presence:set': { summary: 'Sets one’s own status in all rooms', codes: [] },
};

const SERVER_EVENTS: Record<keyof ServerEvents, string> = {
  session: 'The first event of a connection; answers auth.resume',
  message: 'An entry of a joined room, in the order of seq',
  typing: 'Another member is typing, or no longer; may be lost',
  presence: 'What changed in a watched room since the snapshot or the last difference',
  'room:event': 'A room’s log began a new epoch, or one was removed from the room',
  receipt: 'Members of a joined room have read further; may be lost',
  inbox: 'Something for this user, on every connection, joined to the room or not; may be lost',
  notice: 'Something about this connection or its node',
};

const handshake = z.object({
  token: z.string().min(1).max(8_192).describe('A JWT: sub, name, exp, and roles where there are any.'),
  resume: resume.optional(),
});
const refusal = z.object({ ok: z.literal(false), error: errorBody });

/** Ids of messages and operations consist of letters, digits, dots, hyphens and underscores. */
const idOf = (event: string): string => event.replace(':', '.');
const inChannel = (id: string): JsonObject => ({ $ref: `#/channels/main/messages/${id}` });

export function describeEvents(options: { version: string }): JsonObject {
  const messages: Record<string, JsonObject> = {};
  const operations: Record<string, JsonObject> = {};
  const add = (id: string, name: string, title: string, payload: Json): JsonObject => {
    messages[id] = { name, title, payload };
    return inChannel(id);
  };

  for (const [event, summary] of Object.entries(SERVER_EVENTS) as Array<[keyof ServerEvents, string]>) {
    const id = `${idOf(event)}.event`;
    const message = add(id, event, summary, jsonSchemaOf(serverEventSchemas[event]));
    operations[id] = { action: 'send', channel: { $ref: '#/channels/main' }, summary, messages: [message] };
  }

  const refused = add(
    'connect_error',
    'connect_error',
    'The connection was refused, for good: data of the error. Its code is always unauthenticated',
    jsonSchemaOf(errorBody),
  );
  operations.connect = {
    action: 'receive',
    channel: { $ref: '#/channels/main' },
    summary: 'Opens a connection',
    description: `The auth object of the handshake. Refused only with ${codes(['unauthenticated'])}; a passing condition closes the transport instead, and the client comes back by itself.`,
    messages: [add('connect', 'CONNECT', 'The handshake', jsonSchemaOf(handshake))],
    reply: { channel: { $ref: '#/channels/main' }, messages: [inChannel('session.event'), refused] },
  };

  for (const [event, { summary, codes: own }] of Object.entries(REQUESTS) as Array<
    [RequestName, (typeof REQUESTS)[RequestName]]
  >) {
    const id = idOf(event);
    const answer = z.object({ ok: z.literal(true), data: answerSchemas[event] });
    operations[id] = {
      action: 'receive',
      channel: { $ref: '#/channels/main' },
      summary,
      description: `Takes one object and an acknowledgement callback. Errors: ${codes([...own, ...ALWAYS])}.`,
      messages: [add(id, event, summary, jsonSchemaOf(requestSchemas[event]))],
      reply: {
        channel: { $ref: '#/channels/main' },
        messages: [
          add(`${id}.ack`, event, `Acknowledgement of ${event}`, {
            oneOf: [jsonSchemaOf(answer), jsonSchemaOf(refusal)],
          }),
        ],
      },
    };
  }

  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Maru: events',
      version: options.version,
      description:
        'The Socket.IO events of a Maru cluster: path /socket.io/, main namespace, WebSocket and HTTP long-polling. Names of messages are names of events; an acknowledgement carries the name of its event. Ignore fields that are not described here: more may come.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      public: {
        host: 'localhost:8080',
        protocol: 'ws',
        pathname: '/socket.io/',
        description: 'Socket.IO 4 (Engine.IO 4)',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      main: {
        address: '/',
        title: 'The main namespace',
        servers: [{ $ref: '#/servers/public' }],
        messages: Object.fromEntries(Object.keys(messages).map((id) => [id, { $ref: `#/components/messages/${id}` }])),
      },
    },
    operations,
    components: {
      messages,
      schemas: componentSchemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'As auth.token of the Socket.IO handshake.',
        },
      },
    },
  };
}

function codes(list: ErrorCode[]): string {
  return list.map((code) => (ERROR_CATALOGUE[code].retryable ? `${code} (retryable)` : code)).join(', ');
}
