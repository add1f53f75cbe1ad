/** The lines of a room's file. `docs/archive.md` describes them for authors of converters. */
import { clientMsgId, displayName, entrySeq, requestSchemas, roomId, text, userId } from '@maru/protocol';
import { z } from 'zod';

/** The format in the header. */
export const FORMAT = 'maru-room-1';

const role = z.enum(['owner', 'moderator', 'member']);
const { shape: send } = requestSchemas['message:send'];
const { shape: edit } = requestSchemas['message:edit'];
const { shape: react } = requestSchemas['message:react'];
const { shape: remove } = requestSchemas['message:delete'];
const { shape: room } = requestSchemas['room:update'];

/** The first line, which is optional. */
export const headerLine = z.object({
  format: z.literal(FORMAT),
  room: roomId.optional(),
  title: room.title,
  topic: room.topic,
  readOnly: room.readOnly,
  slowModeS: room.slowModeS,
  /** User id → role. */
  roles: z.record(userId, role).default({}),
});

export type Header = z.output<typeof headerLine>;

const from = z.union([
  userId.transform((id) => ({ id, name: undefined })),
  z.object({ id: userId, name: displayName.optional() }),
]);
const common = { seq: entrySeq.optional(), ts: z.int().min(0), from, clientMsgId: clientMsgId.optional() };
const erased = z.literal(true);
const on = { seq: entrySeq };

const message = z
  .object({
    ...common,
    type: z.literal('text').default('text'),
    text: text.optional(),
    thread: entrySeq.optional(),
    mentions: send.mentions,
    erased: erased.optional(),
  })
  .refine((line) => (line.text === undefined) === (line.erased === true), {
    message: 'is required, unless the message is erased',
    path: ['text'],
  });

const change = <T extends string, S extends z.ZodRawShape>(type: T, data: S) =>
  z.object({ ...common, type: z.literal(`message.${type}`), data: z.object({ ...on, ...data }) });

const changes = [
  z
    .object({
      ...common,
      type: z.literal('message.edit'),
      data: z.object({ ...on, text: text.optional(), mentions: edit.mentions }),
      erased: erased.optional(),
    })
    .refine((line) => (line.data.text === undefined) === (line.erased === true), {
      message: 'is required, unless the edit is erased',
      path: ['data', 'text'],
    }),
  change('delete', { reason: remove.reason }),
  change('react', { emoji: react.emoji, active: react.active }),
  change('pin', { active: z.boolean() }),
] as const;

const ACT_TYPE = /^room\.[a-z][a-z-]{0,31}$/;
const act = z.object({
  ...common,
  type: z.string().regex(ACT_TYPE, 'is text, message.edit, message.delete, message.react, message.pin or room.…'),
  data: z.record(z.string(), z.json()),
});

export type Line =
  | z.output<typeof message>
  | z.output<(typeof changes)[number]>
  | (z.output<typeof act> & { type: `room.${string}` });

const schemas: ReadonlyMap<unknown, z.ZodType> = new Map<unknown, z.ZodType>([
  [undefined, message],
  ['text', message],
  ['message.edit', changes[0]],
  ['message.delete', changes[1]],
  ['message.react', changes[2]],
  ['message.pin', changes[3]],
]);

/** Selects the schema by the type, so that an error is about the intended kind of line. */
export const lineSchemaOf = (value: object): z.ZodType<Line> =>
  (schemas.get('type' in value ? value.type : undefined) ?? act) as z.ZodType<Line>;
