/**
 * JSON Schema of the zod schemas. Refinements, which zod does not convert, are added as keywords or
 * descriptions. Both documents use the same component schemas.
 */
import { z } from 'zod';
import { ERROR_CATALOGUE } from '../src/errors.ts';
import { LIMITS } from '../src/limits.ts';
import {
  clientMsgId,
  displayName,
  emoji,
  position,
  requestSchemas,
  resume,
  roomId,
  text,
  userId,
} from '../src/schemas.ts';
import * as answers from './answer-shapes.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** `id` makes a schema a component. The other fields are merged into its JSON Schema. */
type Meta = { id?: string; description?: string } & { [keyword: string]: unknown };
const registry = z.registry<Meta>();

const NO_CONTROLS = 'without control characters, lone surrogates and bidirectional controls';
const createRoom = requestSchemas['room:create'].shape;

const NAMED: Array<[z.ZodType, Meta & { id: string }]> = [
  [
    roomId,
    { id: 'RoomId', description: 'A room. The server makes the ids of private rooms (p-…) and direct rooms (d-…).' },
  ],
  [
    userId,
    {
      id: 'UserId',
      description: `The sub of a token: 1 to ${LIMITS.userIdCharsMax} UTF-16 code units, ${NO_CONTROLS}.`,
    },
  ],
  [
    displayName,
    {
      id: 'DisplayName',
      description: `1 to ${LIMITS.nameCharsMax} code points, not only white space, ${NO_CONTROLS}.`,
      minLength: 1,
      maxLength: LIMITS.nameCharsMax,
      pattern: '\\S',
    },
  ],
  [
    clientMsgId,
    {
      id: 'ClientMsgId',
      description:
        'Chosen by the sender, and the same for every retry of one message: what makes sending again safe. Remembered per user and room for as long as the message is kept.',
    },
  ],
  [
    text,
    {
      id: 'MessageText',
      description: `Stored as given. Not only white space; at most ${LIMITS.textCodePointsMax} code points after trimming and ${LIMITS.textBytesMax} bytes of UTF-8 before, else too_large.`,
      minLength: 1,
      maxLength: LIMITS.textBytesMax,
      pattern: '\\S',
    },
  ],
  [
    emoji,
    {
      id: 'Emoji',
      description: `One visible grapheme cluster of at most ${LIMITS.emojiBytesMax} bytes of UTF-8, ${NO_CONTROLS}.`,
      minLength: 1,
      maxLength: LIMITS.emojiBytesMax,
    },
  ],
  [
    position,
    { id: 'Position', description: 'A place in a log: everything up to and including seq of that epoch was seen.' },
  ],
  [
    resume,
    {
      id: 'Resume',
      description: `By room id: where a client stands. At most ${LIMITS.roomsPerConnectionMax} rooms.`,
      maxProperties: LIMITS.roomsPerConnectionMax,
    },
  ],
  [answers.role, { id: 'Role' }],
  [answers.userRef, { id: 'UserRef' }],
  [
    answers.errorCode,
    {
      id: 'ErrorCode',
      description: Object.entries(ERROR_CATALOGUE)
        .map(([code, { title, retryable }]) => `${code}: ${title}${retryable ? ' (retryable)' : ''}.`)
        .join(' '),
    },
  ],
  [
    answers.errorBody,
    {
      id: 'Error',
      description:
        'Match code, never message. retryable follows from the code. retryAfterMs is there where waiting so long will help, always with rate_limited.',
    },
  ],
  [
    answers.entry,
    {
      id: 'Entry',
      description:
        'An entry of a room’s log. seq counts 1, 2, 3 … without holes; ts is the store’s clock in milliseconds. An entry of type text is a message and has clientMsgId and text. Delivered entries are as they were appended; reads add edited, deleted, reactions, replies and pinned to messages. The text of a deleted message is erased: it is absent, or empty where it was read. A client counts an entry of a type that it does not know, and shows nothing.',
    },
  ],
  [answers.joinData, { id: 'Joined', description: 'messages end at head; live entries begin at head + 1.' }],
  [answers.sendData, { id: 'Sent', description: 'The message is stored. duplicate: it was before.' }],
  [
    answers.historyData,
    {
      id: 'History',
      description:
        'Ascending, without a hole. first is the oldest seq that is kept; hasMore: there is more in the direction of reading.',
    },
  ],
  [
    answers.reaction,
    {
      id: 'Reaction',
      description: `users: the first ${LIMITS.reactionUsersShown} who reacted so. mine: the reader did.`,
    },
  ],
  [
    answers.messagesData,
    {
      id: 'Messages',
      description: 'Messages as they are at head, ascending. hasMore: older ones exist; hasNewer: newer ones exist.',
    },
  ],
  [
    answers.readData,
    {
      id: 'ReadState',
      description:
        'Everything up to seq is read, with n messages. unread: messages above; mentions: those of them that mention the user.',
    },
  ],
  [answers.myRoom, { id: 'MyRoom', description: 'unread is n − read.n. with: the other user of a direct room.' }],
  [answers.presenceUser, { id: 'PresenceUser' }],
  [
    answers.presenceSnapshot,
    { id: 'PresenceSnapshot', description: `users is left out above ${LIMITS.largeRoomUsers} of them.` },
  ],
  [
    answers.presenceDiff,
    { id: 'PresenceDiff', description: 'What changed since the snapshot or the last difference.' },
  ],
  [
    answers.resumedRoom,
    { id: 'ResumedRoom', description: 'One room of a resume: rejoined, wholly or not, or refused.' },
  ],
  [answers.problem, { id: 'Problem', description: 'RFC 9457, with the code and retryable of acknowledgements.' }],
];
for (const [schema, meta] of NAMED) registry.add(schema, meta);

const oneOfBeforeAfter = {
  description: 'before or after, not both; both exclusive.',
  not: { required: ['before', 'after'] },
};
const label = (charsMax: number) => ({
  description: `At most ${charsMax} code points, ${NO_CONTROLS}.`,
  maxLength: charsMax,
});
registry.add(requestSchemas['history:read'], oneOfBeforeAfter);
registry.add(createRoom.room, {
  description: 'A room id that does not begin with p- or d-.',
  not: { pattern: '^[pd]-' },
});
registry.add(requestSchemas['room:create'], {
  description:
    'A public room has an id; those of others are made by the server. A direct room has user, the other user, and no title.',
});
registry.add(requestSchemas['messages:read'], {
  description:
    'At most one of before, after (exclusive), around (inclusive) and at (a time); thread or pinned, not both.',
  allOf: [
    ['before', 'after'],
    ['before', 'around'],
    ['after', 'around'],
    ['before', 'at'],
    ['after', 'at'],
    ['around', 'at'],
    ['thread', 'pinned'],
  ].map((required) => ({ not: { required } })),
});
registry.add(createRoom.title.unwrap(), label(LIMITS.titleCharsMax));
registry.add(requestSchemas['presence:set'].shape.text.unwrap(), label(LIMITS.statusTextCharsMax));

const settings = (io: 'input' | 'output') =>
  ({
    metadata: registry,
    io,
    // AsyncAPI and every 2020-12 reader (OpenAPI 3.1) accept this dialect.
    target: 'draft-07',
    uri: (id: string) => `#/components/schemas/${id}`,
    // Only `undefined` is used, for a field that must be absent.
    unrepresentable: ({ zodSchema }: { zodSchema: { _zod: { def: { type: string } } } }) =>
      zodSchema._zod.def.type === 'undefined' ? { not: {} } : 'throw',
    override: ({ jsonSchema }: { jsonSchema: { additionalProperties?: unknown } }) => {
      // Our schemas are strict for our tests, but clients must accept unknown fields.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  }) as const;

/** Named schemas, as `components.schemas` of either document. */
export function componentSchemas(): JsonObject {
  const { schemas } = z.toJSONSchema(registry, settings('input'));
  return Object.fromEntries(NAMED.map(([, { id }]) => [id, plain(schemas[id])]));
}

/**
 * One schema, with references to the named ones. `io: 'output'` describes numbers of a query as
 * numbers.
 */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonObject {
  const id = registry.get(schema)?.id;
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` };
  const { schemas } = z.toJSONSchema(withMain(schema), settings(io));
  return plain(schemas.Main);
}

/** The same registry with one more component. */
function withMain(schema: z.ZodType): typeof registry {
  const all = z.registry<Meta>();
  for (const [named, meta] of NAMED) all.add(named, meta);
  return all.add(schema, { ...registry.get(schema), id: 'Main' });
}

/**
 * Converts through JSON, which drops undefined fields. Dialect and ids are stated once in a
 * document, not in each schema.
 */
function plain(schema: unknown): JsonObject {
  const { $schema: _schema, $id: _id, id: _name, ...rest } = JSON.parse(JSON.stringify(schema)) as JsonObject;
  return rest;
}
