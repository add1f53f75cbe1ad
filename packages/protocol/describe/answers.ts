/**
 * Schemas of all that the cluster sends. Tests compare them with `src/events.ts`. They refuse
 * fields that the contract does not name, so tests notice them. Clients must ignore such fields.
 */
import { z } from 'zod';
import { EVENT_CALLS, type EventCallName } from '../src/calls.ts';
import type { ServerEvents } from '../src/events.ts';
import { type RequestName, roomId, userId } from '../src/schemas.ts';
import {
  actData,
  count,
  entry,
  epoch,
  exportLine,
  historyData,
  joinData,
  messagesData,
  myRoom,
  nextCursor,
  nodeName,
  nothing,
  presenceDiff,
  presenceSnapshot,
  readData,
  readers,
  removalReason,
  resumedRoom,
  role,
  roomState,
  searchData,
  seenUsers,
  sendData,
  seq,
  sessionOnNode,
  tsMs,
  userRef,
  visibility,
} from './answer-shapes.ts';

const report = z.strictObject({
  id: z.string().min(1),
  seq: seq.min(1),
  from: userId,
  by: userId,
  reason: z.string(),
  ts: tsMs,
});

/** Data of successful acknowledgements, by event name. */
export const answerSchemas = {
  'auth:renew': z.strictObject({ expiresAt: tsMs }),
  'room:create': z
    .strictObject({ room: roomId, title: z.string(), visibility, role })
    .refine((made) => made.role === (made.visibility === 'direct' ? 'member' : 'owner'), {
      message: 'the creator owns the room, unless it is direct',
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
    reports: z.array(report),
    cursor: nextCursor,
  }),
  'room:report-close': nothing,
  'message:send': sendData,
  'message:edit': sendData,
  'message:delete': sendData,
  'message:react': sendData,
  'message:pin': sendData,
  'history:read': historyData,
  'messages:read': messagesData,
  search: searchData,
  'rooms:mine': z.strictObject({ rooms: z.array(myRoom), cursor: nextCursor }),
  'room:follow': nothing,
  'room:read': readData,
  'room:readers': z.strictObject({ readers }),
  typing: nothing,
  'presence:watch': presenceSnapshot,
  'presence:unwatch': nothing,
  'presence:set': nothing,
} as const satisfies Record<RequestName, z.ZodType>;

/** Payloads of server events, by event name. */
export const serverEventSchemas = {
  session: z.strictObject({
    user: z.strictObject({ ...userRef.shape, roles: z.array(z.string()) }),
    sessionId: z.string().min(1),
    limits: z.record(z.string(), z.number()),
    features: z.array(z.string().min(1)),
    rooms: z.record(z.string(), resumedRoom),
  }),
  message: entry,
  typing: z.strictObject({ room: roomId, user: userRef, active: z.boolean(), thread: seq.min(1).exactOptional() }),
  presence: presenceDiff,
  'room:event': z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('epoch'), room: roomId, epoch, head: seq }),
    z.strictObject({
      type: z.literal('removed'),
      room: roomId,
      reason: removalReason,
    }),
  ]),
  receipt: z.strictObject({ room: roomId, readers: readers.min(1) }),
  inbox: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.enum(['message', 'mention']),
      room: roomId,
      seq: seq.min(1),
      ts: tsMs,
      n: seq,
      from: userRef,
      // The beginning of a text. It may be blank.
      text: z.string(),
    }),
    z.strictObject({ type: z.literal('invite'), room: roomId, title: z.string(), from: userRef }),
    z.strictObject({ type: z.literal('removed'), room: roomId, reason: removalReason }),
    z.strictObject({ type: z.literal('read'), room: roomId, ...readData.shape }),
  ]),
  notice: z.strictObject({
    code: z.enum([
      ...(['draining', 'rebalance', 'degraded', 'recovered', 'revoked', 'expiring', 'slow_consumer'] as const),
      ...(['too_many_connections', 'flood', 'store', 'announcement'] as const),
    ]),
    reconnectInMs: z.int().min(0).exactOptional(),
    text: z.string().min(1).exactOptional(),
    message: z.string().min(1).exactOptional(),
  }),
} as const satisfies Record<keyof ServerEvents, z.ZodType>;

/** Newest first. More actions and fields may be added. */
export const auditEvent = z.strictObject({
  id: z.string().min(1),
  ts: tsMs,
  action: z.string().min(1),
  by: z.string().min(1),
  user: z.string().exactOptional(),
  room: z.string().exactOptional(),
  node: z.string().exactOptional(),
  seq: seq.exactOptional(),
  role: z.string().exactOptional(),
  untilTs: tsMs.exactOptional(),
  reason: z.string().exactOptional(),
  outcome: z.string().exactOptional(),
  address: z.string().exactOptional(),
});

const health = z.enum(['ok', 'failing', 'off']);

/** A gateway. Rates are averages over seconds. `cpu`: fraction of a core. `eventLoop`: 0 to 1. */
const nodeReport = z.strictObject({
  node: nodeName,
  ts: tsMs,
  version: z.string().min(1),
  uptimeS: count,
  connections: count,
  rooms: count,
  cpu: z.number().min(0),
  eventLoop: z.number().min(0),
  memoryBytes: count,
  messagesPerS: z.number().min(0),
  deliveriesPerS: z.number().min(0),
  draining: z.boolean(),
  redis: health,
  presence: health,
  archive: health,
});

/** `missing`: nodes that did not answer, so the list may be incomplete. */
const missing = z.array(nodeName);
const onlineUser = z.strictObject({
  id: userId,
  name: z.string(),
  connections: count.min(1),
  nodes: z.array(nodeName).min(1),
});

/** `connections` and `entriesPerS`: only if ordered by activity. */
const roomOfCluster = z.strictObject({
  room: roomId,
  title: z.string(),
  visibility,
  closed: z.boolean(),
  readOnly: z.boolean(),
  roles: count,
  entries: count,
  connections: count.exactOptional(),
  entriesPerS: z.number().min(0).nullable().exactOptional(),
});

/** `untilTs`: later entries stay. `changes`: messages and reactions erased so far. */
const job = z.strictObject({
  job: z.string().min(1),
  kind: z.literal('erase'),
  state: z.enum(['waiting', 'running', 'done']),
  untilTs: tsMs,
  createdTs: tsMs,
  finishedTs: tsMs.exactOptional(),
  changes: count,
});

const signIn = z.strictObject({ token: z.string().min(1), user: userRef, expiresAt: tsMs });

type EventAnswers = { [N in EventCallName]: (typeof answerSchemas)[(typeof EVENT_CALLS)[N]['event']] };
const eventAnswers = Object.fromEntries(
  Object.entries(EVENT_CALLS).map(([name, { event }]) => [name, answerSchemas[event]]),
) as EventAnswers;

/** Bodies of successful HTTP calls, by operation. */
export const httpAnswerSchemas = {
  ...eventAnswers,
  // Without and with `view=messages`.
  readMessages: z.union([historyData, messagesData]),
  readRoom: roomState,
  readAuthConfig: z.strictObject({
    guests: z.boolean(),
    ldap: z.boolean(),
    oidc: z
      .strictObject({
        issuer: z.string().min(1),
        clientId: z.string().min(1),
        name: z.string().min(1),
        scope: z.string().min(1),
        token: z.enum(['access', 'id']),
      })
      .nullable(),
  }),
  signIn,
  signOut: nothing,
  renewSignIn: signIn,
  createGuest: z.strictObject({ token: z.string().min(1), user: userRef }),
  listRooms: z.strictObject({
    rooms: z.array(z.strictObject({ room: roomId, title: z.string(), topic: z.string(), online: count })),
    cursor: roomId.exactOptional(),
  }),
  readPresence: presenceSnapshot,
  readPresenceOfUsers: seenUsers,
  readMe: z.strictObject({ user: z.strictObject({ ...userRef.shape, roles: z.array(z.string()) }), expiresAt: tsMs }),
  exportMe: exportLine,
  eraseMe: job,
  readJob: job,
  revokeUser: z.strictObject({ revokedAt: tsMs }),
  disconnectUser: nothing,
  closeRoom: actData,
  openRoom: actData,
  listNodes: z.strictObject({ nodes: z.array(nodeReport) }),
  drainNode: nothing,
  rebalanceNode: nothing,
  announce: nothing,
  listSettings: z.strictObject({
    node: nodeName,
    settings: z.array(
      z.strictObject({ name: z.string(), doc: z.string(), value: z.string().nullable(), secret: z.boolean() }),
    ),
  }),
  listUsers: z.strictObject({ users: z.array(onlineUser), cursor: userId.exactOptional(), missing }),
  readUser: z.strictObject({
    id: userId,
    connections: z.array(sessionOnNode),
    rooms: z.array(roomId),
    revokedTs: tsMs.exactOptional(),
    missing,
  }),
  listAllRooms: z.strictObject({
    rooms: z.array(roomOfCluster),
    cursor: roomId.exactOptional(),
    missing: missing.exactOptional(),
  }),
  listReportedRooms: z.strictObject({
    rooms: z.array(z.strictObject({ room: roomId, reports: count.min(1), lastTs: tsMs })),
  }),
  readAudit: z.strictObject({ events: z.array(auditEvent), cursor: z.string().min(1).exactOptional() }),
} as const;

export type HttpOperation = keyof typeof httpAnswerSchemas;
