/**
 * The schemas that validate payloads from clients, and the source of their types. Unknown fields
 * are dropped, so a forged `from`, `seq` or `ts` is never used. A violation is `invalid`, or
 * `too_large` if it concerns a size (see `parsePayload`).
 */
import { z } from 'zod';
import { MaruError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { hasHiddenInName, hasVisible } from './visible.ts';

/** Marks a zod issue that is reported as `too_large` rather than `invalid`. */
const TOO_LARGE = { params: { code: 'too_large' } } as const;

const ROOM_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,64}$/;

export const PRIVATE_ROOM_PREFIX = 'p-';
export const DIRECT_ROOM_PREFIX = 'd-';
/** In `mentions`: everybody in the room. */
export const MENTION_ROOM = '@room';
export const GUEST_ID_PREFIX = 'guest-';

/** Only the server makes these ids, and only members see the rooms. */
export const isPrivateRoomId = (room: string): boolean =>
  room.startsWith(PRIVATE_ROOM_PREFIX) || room.startsWith(DIRECT_ROOM_PREFIX);

export const isDirectRoomId = (room: string): boolean => room.startsWith(DIRECT_ROOM_PREFIX);

/** Length in Unicode code points. A lone surrogate counts as one. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Size in bytes of UTF-8. A lone surrogate counts as three, like its replacement character. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

/**
 * A code point has at least one UTF-16 unit, and a unit at most three bytes of UTF-8, so most texts
 * need no full count.
 */
const fitsCodePoints = (text: string, codePointsMax: number): boolean =>
  text.length <= codePointsMax || codePointLength(text) <= codePointsMax;
const fitsUtf8 = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || (text.length <= bytesMax && utf8Length(text) <= bytesMax);

/**
 * C0 and C1 controls, lone surrogates, and bidi controls, which make one name look like another.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must be refused
const UNSAFE_IN_NAME = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u;

const label = (codePointsMax: number) =>
  z
    .string()
    .refine((value) => fitsCodePoints(value, codePointsMax), { message: `has at most ${codePointsMax} characters` })
    .refine((value) => !UNSAFE_IN_NAME.test(value), { message: 'must not hold control characters' })
    .refine((value) => !hasHiddenInName(value), { message: 'must not hold hidden characters' });

export const displayName = label(LIMITS.nameCharsMax).refine(hasVisible, { message: 'must not be blank' });

/** Empty, or with something visible. */
const optionalLabel = (codePointsMax: number) =>
  label(codePointsMax).refine((value) => value === '' || hasVisible(value), { message: 'must not be blank' });

export const userId = z
  .string()
  .min(1)
  .max(LIMITS.userIdCharsMax)
  .refine((value) => !UNSAFE_IN_NAME.test(value), { message: 'must not hold control characters' });

export const roomId = z.string().regex(ROOM_ID, 'is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit');

export const clientMsgId = z.string().regex(PRINTABLE_ASCII, 'is 1 to 64 printable ASCII characters');

export const text = z
  .string()
  .refine(hasVisible, { message: 'must not be blank' })
  .refine((value) => fitsUtf8(value, LIMITS.textBytesMax), {
    message: `has at most ${LIMITS.textBytesMax} bytes of UTF-8`,
    ...TOO_LARGE,
    abort: true,
  })
  .refine((value) => fitsCodePoints(value.trim(), LIMITS.textCodePointsMax), {
    message: `has at most ${LIMITS.textCodePointsMax} code points after trimming`,
    ...TOO_LARGE,
  });

const seq = z.int().min(0);
/** The `seq` of an entry. */
const entrySeq = z.int().min(1);

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const isOneGrapheme = (value: string): boolean => {
  const segments = graphemes.segment(value)[Symbol.iterator]();
  return segments.next().done !== true && segments.next().done === true;
};

export const emoji = z
  .string()
  .refine((value) => utf8Length(value) <= LIMITS.emojiBytesMax, {
    message: `has at most ${LIMITS.emojiBytesMax} bytes of UTF-8`,
    abort: true,
  })
  .refine((value) => !UNSAFE_IN_NAME.test(value) && hasVisible(value) && isOneGrapheme(value), {
    message: 'must be one visible character',
  });

/** Each user once. An empty list is the same as none. */
const mentions = z
  .array(userId)
  .max(LIMITS.mentionsMax)
  .refine((users) => users.length === 1 || !users.includes(MENTION_ROOM), { message: '@room stands alone' })
  .transform((users) => (users.length === 0 ? undefined : [...new Set(users)]));

const onMessage = z.object({ room: roomId, seq: entrySeq, clientMsgId });
const reason = optionalLabel(LIMITS.reasonCharsMax);
const onMember = z.object({
  room: roomId,
  clientMsgId: clientMsgId.optional(),
  user: userId,
  reason: reason.optional(),
});
const sanction = onMember.extend({
  forMs: z.int().min(LIMITS.sanctionMsMin).max(LIMITS.sanctionMsMax).optional(),
});
const epoch = z.string().min(1).max(LIMITS.epochCharsMax);
const limit = z.int().min(1).max(LIMITS.pageEntriesMax).default(LIMITS.pageEntriesDefault);
const cursor = z.string().min(1).max(256);

export const position = z.object({ epoch, seq });

/** `auth.resume` of the handshake, with at most as many rooms as a connection may join. */
export const resume = z
  .record(z.string(), position)
  .refine((rooms) => Object.keys(rooms).length <= LIMITS.roomsPerConnectionMax, {
    message: `names at most ${LIMITS.roomsPerConnectionMax} rooms`,
  });

/** Payloads of client events, by event name. */
export const requestSchemas = {
  'auth:renew': z.object({ token: z.string().min(1).max(LIMITS.tokenCharsMax) }),
  'room:create': z
    .object({
      room: roomId
        .refine((id) => !isPrivateRoomId(id), { message: 'ids of private rooms are made by the server' })
        .optional(),
      visibility: z.enum(['public', 'private', 'direct']).default('public'),
      title: optionalLabel(LIMITS.titleCharsMax).optional(),
      user: userId.optional(),
    })
    .refine(({ room, visibility }) => visibility !== 'public' || room !== undefined, {
      message: 'is required for a public room',
      path: ['room'],
    })
    .refine(({ room, visibility }) => visibility === 'public' || room === undefined, {
      message: 'is made by the server for a private or direct room',
      path: ['room'],
    })
    .refine(({ user, visibility }) => (visibility === 'direct') === (user !== undefined), {
      message: 'names the other user of a direct room',
      path: ['user'],
    })
    .refine(({ title, visibility }) => visibility !== 'direct' || title === undefined, {
      message: 'a direct room has no title',
      path: ['title'],
    }),
  'room:join': z.object({ room: roomId, since: position.optional(), limit }),
  'room:leave': z.object({ room: roomId }),
  'room:members': z.object({
    room: roomId,
    cursor: cursor.optional(),
    limit,
  }),
  'room:invite': z.object({ room: roomId, user: userId }),
  'room:update': z
    .object({
      room: roomId,
      clientMsgId,
      title: optionalLabel(LIMITS.titleCharsMax).optional(),
      topic: optionalLabel(LIMITS.topicCharsMax).optional(),
      readOnly: z.boolean().optional(),
      slowModeS: z.int().min(0).max(LIMITS.slowModeSMax).optional(),
    })
    .refine(
      ({ title, topic, readOnly, slowModeS }) => [title, topic, readOnly, slowModeS].some((v) => v !== undefined),
      {
        message: 'names nothing to change',
      },
    ),
  'room:quit': z.object({ room: roomId, clientMsgId }),
  'room:delete': z.object({ room: roomId }),
  'room:role': z.object({
    room: roomId,
    clientMsgId: clientMsgId.optional(),
    user: userId,
    role: z.enum(['owner', 'moderator', 'member']),
  }),
  'room:kick': sanction,
  'room:ban': sanction,
  'room:unban': onMember,
  'room:mute': sanction,
  'room:unmute': onMember,
  'room:bans': z.object({ room: roomId, cursor: cursor.optional(), limit }),
  'message:report': z.object({
    room: roomId,
    seq: z.int().min(1),
    reason: label(LIMITS.reasonCharsMax).refine(hasVisible, { message: 'must not be blank' }),
  }),
  'room:reports': z.object({ room: roomId, cursor: cursor.optional(), limit }),
  'room:report-close': z.object({ room: roomId, id: cursor }),
  'message:send': z.object({
    room: roomId,
    clientMsgId,
    text,
    thread: entrySeq.optional(),
    mentions: mentions.optional(),
  }),
  'message:edit': onMessage.extend({ text, mentions: mentions.optional() }),
  'message:delete': onMessage.extend({ reason: reason.optional() }),
  'message:react': onMessage.extend({ emoji, active: z.boolean() }),
  'message:pin': onMessage.extend({ active: z.boolean() }),
  'history:read': z
    .object({ room: roomId, before: seq.optional(), after: seq.optional(), limit, epoch: epoch.optional() })
    .refine((request) => request.before === undefined || request.after === undefined, {
      message: 'takes before or after, not both',
    }),
  'messages:read': z
    .object({
      room: roomId,
      before: seq.optional(),
      after: seq.optional(),
      around: entrySeq.optional(),
      thread: entrySeq.optional(),
      pinned: z.literal(true).optional(),
      limit,
    })
    .refine(({ before, after, around }) => [before, after, around].filter((v) => v !== undefined).length <= 1, {
      message: 'takes one of before, after and around',
    })
    .refine(({ thread, pinned }) => thread === undefined || pinned === undefined, {
      message: 'takes thread or pinned, not both',
    }),
  'rooms:mine': z.object({ cursor: cursor.optional(), limit }),
  'room:follow': z.object({
    room: roomId,
    active: z.boolean(),
    notify: z.enum(['all', 'mentions', 'none']).optional(),
  }),
  'room:read': z.object({ room: roomId, seq }),
  'room:readers': z.object({ room: roomId }),
  typing: z.object({ room: roomId, active: z.boolean(), thread: entrySeq.optional() }),
  'presence:watch': z.object({ room: roomId }),
  'presence:unwatch': z.object({ room: roomId }),
  'presence:set': z.object({
    status: z.enum(['online', 'away', 'dnd', 'invisible']),
    text: optionalLabel(LIMITS.statusTextCharsMax).optional(),
  }),
} as const;

export type RequestName = keyof typeof requestSchemas;
export type RequestOf<N extends RequestName> = z.output<(typeof requestSchemas)[N]>;

/** Payloads of HTTP calls: bodies, and query strings whose numbers are text. */
const seqText = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number)
  .pipe(seq);
const limitText = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .pipe(z.int().min(1).max(LIMITS.pageEntriesMax));

/** Why an administrator acts. */
const adminReason = label(LIMITS.reasonCharsMax).refine(hasVisible, { message: 'must not be blank' });
const streamId = z.string().regex(/^\d{1,15}-\d{1,15}$/, 'is the cursor of the page before');

export const httpSchemas = {
  revoke: z.object({ reason: adminReason.optional() }),
  disconnect: z.object({ reason: adminReason.optional() }),
  audit: z.object({
    kind: z.enum(['acts', 'sign-ins']).optional(),
    cursor: streamId.optional(),
    limit: limitText.optional(),
    user: userId.optional(),
    room: roomId.optional(),
    action: z
      .string()
      .regex(/^[a-z][a-z.-]{0,63}$/, 'is a word such as user.revoke')
      .optional(),
  }),
  guest: z.object({ name: displayName }),
  post: z.object({ text }),
  rooms: z.object({ cursor: roomId.optional(), limit: limitText.optional() }),
  history: z
    .object({
      before: seqText.optional(),
      after: seqText.optional(),
      limit: limitText.optional(),
      epoch: epoch.optional(),
    })
    .refine((query) => query.before === undefined || query.after === undefined, {
      message: 'takes before or after, not both',
    }),
} as const;

/**
 * Returns the parsed value, or throws `invalid` or `too_large` with the path of the first problem.
 * The message never contains the value.
 */
export function parsePayload<S extends z.ZodType>(schema: S, payload: unknown): z.output<S> {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const tooLarge = issue?.code === 'custom' && issue.params?.code === 'too_large';
  const path = (issue?.path ?? []).map(String).join('.').slice(0, 80);
  const message = issue?.message ?? 'is invalid';
  throw new MaruError(tooLarge ? 'too_large' : 'invalid', path === '' ? message : `${path}: ${message}`);
}
