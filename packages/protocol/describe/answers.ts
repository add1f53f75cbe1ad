/**
 * Schemas of everything that the cluster sends: the same shapes as the interfaces of
 * `src/events.ts`, with which tests compare them. They refuse fields that the contract does not
 * name, so that tests notice new fields. Clients must ignore unknown fields.
 */
import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from '../src/errors.ts';
import type { ServerEvents } from '../src/events.ts';
import { LIMITS } from '../src/limits.ts';
import { clientMsgId, displayName, type RequestName, roomId, text, userId } from '../src/schemas.ts';

const seq = z.int().min(0);
const epoch = z.string().min(1).max(LIMITS.epochCharsMax);
const tsMs = z.int().min(0);
const count = z.int().min(0);

export const role = z.enum(['owner', 'moderator', 'member']);
export const userRef = z.strictObject({ id: userId, name: displayName });

export const errorCode = z.enum(Object.keys(ERROR_CATALOGUE) as [ErrorCode, ...ErrorCode[]]);
export const errorBody = z
  .strictObject({
    code: errorCode,
    message: z.string().min(1),
    retryable: z.boolean(),
    retryAfterMs: z.int().min(1).exactOptional(),
    reason: z.literal('too_many_connections').exactOptional(),
  })
  .refine(({ code, retryable }) => retryable === ERROR_CATALOGUE[code].retryable, {
    message: 'retryable does not fit the code',
  })
  .refine(({ code, retryAfterMs }) => code !== 'rate_limited' || retryAfterMs !== undefined, {
    message: 'rate_limited names retryAfterMs',
  });

export const entry = z
  .strictObject({
    room: roomId,
    epoch,
    seq: seq.min(1),
    ts: tsMs,
    n: seq,
    type: z.string().min(1),
    from: userRef,
    clientMsgId: clientMsgId.exactOptional(),
    text: text.exactOptional(),
    data: z.unknown().exactOptional(),
  })
  .refine((value) => value.type !== 'text' || (value.text !== undefined && value.clientMsgId !== undefined), {
    message: 'an entry of type text has clientMsgId and text',
  });

/** Every list of entries is a slice of one log: one room, one epoch, ascending, without gaps. */
const entries = z.array(entry).refine(
  (list) =>
    list.every((item, index) => {
      const before = list[index - 1];
      if (before === undefined) return true;
      return item.seq === before.seq + 1 && item.epoch === before.epoch && item.room === before.room;
    }),
  { message: 'is one piece of one log, ascending without a hole' },
);

const logState = { epoch, head: seq, n: seq, first: seq.min(1) };
const reason = z.enum(['too_far', 'trimmed', 'epoch']);
const recovered = { recovered: z.literal(true) };
const notRecovered = { recovered: z.literal(false), reason: reason.exactOptional() };

const visibility = z.enum(['public', 'private']);
const roomInfo = {
  visibility,
  title: z.string(),
  topic: z.string().exactOptional(),
  readOnly: z.literal(true).exactOptional(),
  slowModeS: z.int().min(1).exactOptional(),
  mutedUntilTs: z.int().min(0).exactOptional(),
};
const joined = { room: roomId, role, messages: entries, ...logState, ...roomInfo };
export const joinData = z
  .discriminatedUnion('recovered', [
    z.strictObject({ ...joined, ...recovered }),
    z.strictObject({ ...joined, ...notRecovered }),
  ])
  .refine(({ head, messages }) => messages.length === 0 || messages.at(-1)?.seq === head, {
    message: 'messages end at head',
  });

export const sendData = z.strictObject({ epoch, seq: seq.min(1), ts: tsMs, n: seq, duplicate: z.boolean() });
const actData = z.strictObject({ seq: seq.min(1) });
const nextCursor = z.string().min(1).exactOptional();
export const historyData = z.strictObject({
  epoch,
  head: seq,
  first: seq.min(1),
  messages: entries,
  hasMore: z.boolean(),
});

export const presenceUser = z.strictObject({
  id: userId,
  name: displayName,
  status: z.enum(['online', 'away', 'dnd']),
  text: z.string().exactOptional(),
});
export const presenceSnapshot = z
  .strictObject({ count, users: z.array(presenceUser).exactOptional() })
  .refine((snapshot) => snapshot.users === undefined || snapshot.users.length === snapshot.count, {
    message: 'count is the number of users',
  });
export const presenceDiff = z.strictObject({
  room: roomId,
  count,
  joins: z.array(presenceUser),
  leaves: z.array(z.strictObject({ id: userId })),
  updates: z.array(presenceUser),
});

const nothing = z.strictObject({});

/** Data of successful acknowledgements, by event name. */
export const answerSchemas = {
  'auth:renew': z.strictObject({ expiresAt: tsMs }),
  'room:create': z.strictObject({
    room: roomId,
    title: z.string(),
    visibility,
    role: z.literal('owner'),
  }),
  'room:join': joinData,
  'room:leave': nothing,
  'room:members': z.strictObject({
    members: z.array(z.strictObject({ user: userId, role })),
    cursor: nextCursor,
  }),
  'room:invite': nothing,
  'room:update': sendData,
  'room:quit': sendData,
  'room:delete': nothing,
  'room:role': actData,
  'room:kick': actData,
  'room:ban': actData,
  'room:unban': actData,
  'room:mute': actData,
  'room:unmute': actData,
  'room:bans': z.strictObject({
    bans: z.array(
      z.strictObject({
        user: userId,
        kind: z.enum(['ban', 'mute']),
        untilTs: tsMs.exactOptional(),
        by: userId,
        reason: z.string().exactOptional(),
      }),
    ),
    cursor: nextCursor,
  }),
  'message:report': nothing,
  'room:reports': z.strictObject({
    reports: z.array(
      z.strictObject({
        id: z.string().min(1),
        seq: seq.min(1),
        from: userId,
        by: userId,
        reason: z.string(),
        ts: tsMs,
      }),
    ),
    cursor: nextCursor,
  }),
  'room:report-close': nothing,
  'message:send': sendData,
  'history:read': historyData,
  typing: nothing,
  'presence:watch': presenceSnapshot,
  'presence:unwatch': nothing,
  'presence:set': nothing,
} as const satisfies Record<RequestName, z.ZodType>;

export const resumedRoom = z.union([
  z.discriminatedUnion('recovered', [
    z.strictObject({ ...logState, ...recovered }),
    z.strictObject({ ...logState, ...notRecovered }),
  ]),
  z.strictObject({ error: errorBody }),
]);

/** Payloads of server events, by event name. */
export const serverEventSchemas = {
  session: z.strictObject({
    user: z.strictObject({ ...userRef.shape, roles: z.array(z.string()) }),
    sessionId: z.string().min(1),
    limits: z.record(z.string(), z.number()),
    rooms: z.record(z.string(), resumedRoom),
  }),
  message: entry,
  typing: z.strictObject({ room: roomId, user: userRef, active: z.boolean() }),
  presence: presenceDiff,
  'room:event': z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('epoch'), room: roomId, epoch, head: seq }),
    z.strictObject({
      type: z.literal('removed'),
      room: roomId,
      reason: z.enum(['kicked', 'banned', 'left', 'closed', 'deleted']),
    }),
  ]),
  notice: z.strictObject({
    code: z.enum([
      ...(['draining', 'rebalance', 'degraded', 'recovered', 'revoked', 'expiring', 'slow_consumer'] as const),
      ...(['too_many_connections', 'flood', 'store'] as const),
    ]),
    reconnectInMs: z.int().min(0).exactOptional(),
    message: z.string().min(1).exactOptional(),
  }),
} as const satisfies Record<keyof ServerEvents, z.ZodType>;

/** RFC 9457. A 405 has the code `invalid`; answers of nginx itself have no `detail`. */
export const problem = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string().min(1),
  status: z.int().min(400).max(599),
  detail: z.string().min(1).exactOptional(),
  code: errorCode,
  retryable: z.boolean(),
  retryAfterMs: z.int().min(1).exactOptional(),
});

/** Newest first. Other actions and fields may come. */
export const auditEvent = z.strictObject({
  id: z.string().min(1),
  ts: tsMs,
  action: z.string().min(1),
  by: z.string().min(1),
  user: z.string().exactOptional(),
  room: z.string().exactOptional(),
  seq: seq.exactOptional(),
  role: z.string().exactOptional(),
  untilTs: tsMs.exactOptional(),
  reason: z.string().exactOptional(),
  outcome: z.string().exactOptional(),
});

/** Bodies of successful HTTP calls, by operation. */
export const httpAnswerSchemas = {
  createGuest: z.strictObject({ token: z.string().min(1), user: userRef }),
  listRooms: z.strictObject({
    rooms: z.array(z.strictObject({ room: roomId, title: z.string(), online: count })),
    cursor: roomId.exactOptional(),
  }),
  readMessages: historyData,
  postMessage: sendData,
  readPresence: presenceSnapshot,
  revokeUser: z.strictObject({ revokedAt: tsMs }),
  disconnectUser: nothing,
  deleteRoom: nothing,
  closeRoom: actData,
  openRoom: actData,
  readAudit: z.strictObject({ events: z.array(auditEvent), cursor: z.string().min(1).exactOptional() }),
} as const;

export type HttpOperation = keyof typeof httpAnswerSchemas;
