/**
 * The schemas that validate payloads from clients, and the source of their types. Unknown fields
 * are dropped, so a forged `from`, `seq` or `ts` is never used. A violation is `invalid`, or
 * `too_large` if it concerns a size (see `parsePayload`).
 */
import { z } from 'zod';
import { MaruError } from './errors.ts';
import { LIMITS } from './limits.ts';
import {
  clientMsgId,
  cursor,
  displayName,
  emoji,
  entrySeq,
  epoch,
  isPrivateRoomId,
  label,
  limit,
  mentions,
  optionalLabel,
  position,
  roomId,
  seq,
  text,
  userId,
} from './values.ts';
import { hasVisible } from './visible.ts';

export {
  clientMsgId,
  codePointLength,
  DIRECT_ROOM_PREFIX,
  displayName,
  emoji,
  entrySeq,
  GUEST_ID_PREFIX,
  isDirectRoomId,
  isPrivateRoomId,
  MENTION_ROOM,
  PRIVATE_ROOM_PREFIX,
  position,
  resume,
  roomId,
  text,
  userId,
  utf8Length,
} from './values.ts';

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
  'room:members': z.object({ room: roomId, cursor: userId.optional(), limit }),
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
    // This release stores none, and `features` says so. A message must not lose them silently.
    files: z.array(z.unknown()).max(0, 'this cluster stores no files').optional(),
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
      at: seq.optional(),
      thread: entrySeq.optional(),
      pinned: z.literal(true).optional(),
      limit,
    })
    .refine(({ before, after, around, at }) => [before, after, around, at].filter((v) => v !== undefined).length <= 1, {
      message: 'takes one of before, after, around and at',
    })
    .refine(({ thread, pinned }) => thread === undefined || pinned === undefined, {
      message: 'takes thread or pinned, not both',
    }),
  search: z.object({
    query: z.string().min(1).max(LIMITS.searchQueryCharsMax),
    room: roomId.optional(),
    from: userId.optional(),
    before: seq.optional(),
    after: seq.optional(),
    cursor: cursor.optional(),
    limit: z.int().min(1).max(LIMITS.pageEntriesMax).default(LIMITS.searchPageDefault),
  }),
  'rooms:mine': z.object({ cursor: roomId.optional(), limit }),
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
const limitText = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .pipe(z.int().min(1).max(LIMITS.pageEntriesMax));

/** The reason of an administrator's act. */
const adminReason = label(LIMITS.reasonCharsMax).refine(hasVisible, { message: 'must not be blank' });
const streamId = z.string().regex(/^\d{1,15}-\d{1,15}$/, 'must be the cursor of the previous page');

/** Where an export continues: the `ts`, `seq` and `room` of the last entry. */
const exportCursor = z.string().regex(/^\d{1,15}-\d{1,15}-[a-z0-9][a-z0-9._-]{0,63}$/, 'is the cursor of a line');
const jobId = z.string().regex(/^[a-z0-9]{1,32}$/, 'is the id of a job');

const nodeName = z.string().regex(/^[a-zA-Z0-9-]{1,63}$/, 'is the name of a node');
/** A part of an id or name. */
const searched = z.string().max(LIMITS.userIdCharsMax);

export const httpSchemas = {
  export: z.object({ cursor: exportCursor.optional() }),
  job: z.object({ job: jobId }),
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
  node: nodeName,
  announcement: z.object({
    text: label(LIMITS.announcementCharsMax).refine(hasVisible, { message: 'must not be blank' }),
  }),
  users: z.object({ q: searched.optional(), cursor: userId.optional(), limit: limitText.optional() }),
  roomsOfCluster: z.object({
    q: searched.optional(),
    order: z.enum(['id', 'activity']).optional(),
    cursor: roomId.optional(),
    limit: limitText.optional(),
  }),
  reportedRooms: z.object({ limit: limitText.optional() }),
  guest: z.object({ name: displayName }),
  signIn: z.object({
    username: z
      .string()
      .min(1)
      .max(LIMITS.usernameCharsMax)
      .regex(/^\P{Cc}+$/u, 'must not hold control characters'),
    // Some directories treat an empty password, or one that begins with NUL, as no password.
    password: z
      .string()
      .min(1, 'must not be empty')
      .max(LIMITS.passwordCharsMax)
      .refine((value) => !value.includes('\0'), { message: 'must not hold control characters' }),
  }),
  rooms: z.object({ cursor: roomId.optional(), limit: limitText.optional() }),
  // A query with a single `user` is not parsed as a list.
  presence: z.object({
    user: z
      .preprocess(
        (value) => (typeof value === 'string' ? [value] : value),
        z.array(userId).min(1).max(LIMITS.presenceUsersMax),
      )
      .transform((users) => [...new Set(users)]),
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
