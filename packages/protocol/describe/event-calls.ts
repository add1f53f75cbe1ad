/** Descriptions of calls that correspond to a client event, from the schemas of the events. */
import { z } from 'zod';
import { type CallEvent, EVENT_CALLS, type EventCall, type EventCallName, pathMembers } from '../src/calls.ts';
import type { ErrorCode } from '../src/errors.ts';
import { requestSchemas } from '../src/schemas.ts';
import { type Call, type Parameter, propertiesOf, queryParameter } from './http-call.ts';
import { type JsonObject, jsonSchemaOf } from './json-schema.ts';

interface Text {
  summary: string;
  description?: string;
  /** Description of a success answer. Default: the page or the entry that the summary names. */
  success?: string;
  /** Errors in addition to those of every call, of calls about a room, and of calls with a body. */
  errors?: ErrorCode[];
}

const STORED = 'The entry, or that of the first call with this Idempotency-Key';
const OF_MODERATORS = 'For moderators and owners.';
const HIGHER = 'Only a higher role acts on a lower one.';

const TEXTS: Record<EventCallName, Text> = {
  createRoom: {
    summary: 'Makes a public or private room, or opens the direct room with another user',
    description: 'The same direct room for both users, whichever opens it first.',
    success: 'The room',
    errors: ['conflict'],
  },
  updateRoom: {
    summary: 'Changes the settings of a room',
    description: OF_MODERATORS,
    success: STORED,
    errors: ['conflict'],
  },
  deleteRoom: {
    summary: 'Deletes a room with all its data; for its owners and the role admin',
    success: 'The room is gone; its members get the room event removed',
  },
  listMembers: { summary: 'Members of a private or direct room, or those with a role in a public one' },
  inviteMember: {
    summary: 'Makes a user a member of a private room',
    description: OF_MODERATORS,
    success: 'The user is a member',
    errors: ['conflict'],
  },
  quitRoom: { summary: 'Leaves a private room for good', success: STORED, errors: ['conflict'] },
  setRole: {
    summary: 'Gives a user a role',
    description: 'For owners. A room keeps an owner: else conflict.',
    success: 'The seq of the act',
    errors: ['conflict'],
  },
  kickMember: sanction('Removes a user from a room for a while; from a private one for good'),
  banMember: sanction('Bans a user from a room'),
  unbanMember: sanction('Lifts a ban'),
  muteMember: sanction('Mutes a user: no entries, until the end of the mute'),
  unmuteMember: sanction('Lifts a mute'),
  listBans: { summary: 'Bans and mutes of a room', description: OF_MODERATORS },
  listReports: { summary: 'Reports of messages in a room', description: OF_MODERATORS },
  closeReport: { summary: 'Closes a report', description: OF_MODERATORS, success: 'The report is closed' },
  readMessages: {
    summary: 'A page of a room: entries of its log, or with view=messages only messages',
    description:
      'Without view: entries before or after a seq, both exclusive, or the newest; with another epoch than the log’s: 409. With view=messages: also around (inclusive) or at (a time in milliseconds), and thread or pinned.',
    success: 'Ascending; messages as they are at head',
    errors: ['conflict'],
  },
  postMessage: {
    summary: 'Stores a message, once for each Idempotency-Key',
    success: 'The message is stored',
    errors: ['conflict'],
  },
  editMessage: { summary: 'Replaces the text of one’s own message', success: STORED, errors: ['conflict'] },
  deleteMessage: {
    summary: 'Deletes the text of a message; for its author and for moderators',
    description: 'After the answer the text is nowhere in the store. Deleting twice is a duplicate.',
    success: STORED,
    errors: ['conflict'],
  },
  reportMessage: {
    summary: 'Reports a message to the moderators',
    success: 'The report is kept',
    errors: ['conflict'],
  },
  addReaction: reaction('Reacts to a message with an emoji'),
  removeReaction: reaction('Takes a reaction back'),
  pinMessage: pin('Pins a message'),
  unpinMessage: pin('Takes a pin off a message'),
  search: {
    summary: 'Finds messages by their words, newest first, in the rooms that one may read',
    description:
      'Words, "a phrase" and -without; the last word also finds longer ones. before and after are times in milliseconds. Without the archive: 503.',
    errors: ['not_found'],
  },
  listMyRooms: {
    summary: 'One’s private and direct rooms, and the public ones that one follows',
    description: 'With the newest message, the read position, and exact counts of unread messages and mentions.',
  },
  followRoom: {
    summary: 'Lists a public room among one’s rooms, or says what one is notified of in any of them',
    success: 'It is listed',
    errors: ['conflict'],
  },
  unfollowRoom: { summary: 'Takes a public room off the list', success: 'It is not listed' },
  setReadPosition: {
    summary: 'Moves the read position in a room; it never goes back',
    success: 'The position and the counts above it',
  },
  listReaders: { summary: 'Who has read how far, in rooms of up to 200 members', success: 'The readers' },
  showTyping: {
    summary: 'Shows in a room that one types, or stops',
    description: 'Clients drop it after 6 s, so a bot repeats it every few seconds. It may be lost.',
    success: 'It is sent',
  },
  setStatus: {
    summary: 'Sets one’s own status in all rooms',
    description: 'It shows while the user is in a room, and is kept for an hour for the next visit.',
    success: 'The status is set',
  },
};

function sanction(summary: string): Text {
  return {
    summary,
    description: `${OF_MODERATORS} ${HIGHER}`,
    success: 'The seq of the act',
    errors: ['conflict'],
  };
}

function reaction(summary: string): Text {
  return {
    summary,
    description: 'If the message already has this state, the answer is a duplicate.',
    success: STORED,
    errors: ['conflict'],
  };
}

function pin(summary: string): Text {
  const description =
    'For moderators and owners, and both members of a direct room. If the message already has this state, the answer is a duplicate.';
  return { summary, description, success: STORED, errors: ['conflict'] };
}

/** Members of the payload that are not in the path, the method or the header. */
function freeMembers(event: CallEvent, call: EventCall): string[] {
  const known = [...pathMembers(call.path), ...Object.keys(call.fixed ?? {}), 'clientMsgId'];
  return Object.keys(requestSchemas[event].shape).filter((name) => !known.includes(name));
}

const shapeOf = (event: CallEvent): Record<string, z.ZodType> => requestSchemas[event].shape;
const hasBody = ({ method }: EventCall): boolean => method !== 'GET' && method !== 'DELETE';

/** The schema that validates the body of a call, for tests of examples. */
export function bodySchemaOf(name: EventCallName): z.ZodType {
  const call: EventCall = EVENT_CALLS[name];
  const shape = shapeOf(call.event);
  return z.object(Object.fromEntries(freeMembers(call.event, call).map((member) => [member, shape[member]])) as never);
}

function bodyOf(call: EventCall): JsonObject | undefined {
  const free = freeMembers(call.event, call);
  if (!hasBody(call) || free.length === 0) return undefined;
  const { properties, required, ...whole } = jsonSchemaOf(requestSchemas[call.event], 'input');
  const kept = Object.entries(properties as Record<string, JsonObject>).filter(([name]) => free.includes(name));
  const needed = ((required ?? []) as string[]).filter((name) => free.includes(name));
  return {
    ...whole,
    properties: Object.fromEntries(kept),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
}

function parametersOf(call: EventCall): Parameter[] {
  const properties = propertiesOf(requestSchemas[call.event], 'input');
  const parameters = pathMembers(call.path).map(
    (name): Parameter => ({ name, in: 'path', required: true, schema: properties[name] as JsonObject }),
  );
  const { clientMsgId } = shapeOf(call.event);
  if (clientMsgId !== undefined)
    parameters.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: !clientMsgId.safeParse(undefined).success,
      description: 'The clientMsgId. The same key with another content: 409.',
      schema: properties.clientMsgId as JsonObject,
    });
  if (hasBody(call)) return parameters;
  const views = Object.entries(call.views ?? {});
  const query = new Map<string, JsonObject>();
  for (const event of [call.event, ...views.map(([, viewed]) => viewed)]) {
    const members = propertiesOf(requestSchemas[event], 'input');
    for (const name of freeMembers(event, call)) query.set(name, members[name] as JsonObject);
  }
  if (views.length > 0) query.set('view', { enum: views.map(([name]) => name) });
  return [...parameters, ...Array.from(query, ([name, schema]) => queryParameter(name, schema))];
}

function successOf(call: EventCall, { success = 'A page' }: Text): Record<number, string> {
  if (call.status === undefined) return { 200: success };
  if (shapeOf(call.event).clientMsgId === undefined) return { [call.status]: success };
  return { [call.status]: success, 200: 'It was stored before: the seq and ts of then' };
}

function describe(call: EventCall, text: Text): Call {
  const body = bodyOf(call);
  const { summary, description, errors = [] } = text;
  return {
    method: call.method.toLowerCase() as Call['method'],
    path: call.path,
    summary,
    description: [description, `As the event ${[call.event, ...Object.values(call.views ?? {})].join(' or ')}.`]
      .filter((part) => part !== undefined)
      .join(' '),
    ...(body === undefined ? {} : { body, ...(body.required === undefined ? { isBodyOptional: true as const } : {}) }),
    parameters: parametersOf(call),
    success: successOf(call, text),
    errors: [
      ...(call.path.includes('{room}') ? (['not_found'] as const) : []),
      ...errors,
      ...(body === undefined ? [] : (['too_large'] as const)),
    ],
  };
}

export const describeEventCalls = (): Record<EventCallName, Call> =>
  Object.fromEntries(
    Object.entries(EVENT_CALLS).map(([name, call]) => [name, describe(call, TEXTS[name as EventCallName])]),
  ) as Record<EventCallName, Call>;
