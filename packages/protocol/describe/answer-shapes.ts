/** Shapes that occur in answers and server events. Strict, see `answers.ts`. */
import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from '../src/errors.ts';
import { LIMITS } from '../src/limits.ts';
import { clientMsgId, displayName, emoji, roomId, text, userId } from '../src/schemas.ts';

export const seq = z.int().min(0);
export const epoch = z.string().min(1).max(LIMITS.epochCharsMax);
export const tsMs = z.int().min(0);
export const count = z.int().min(0);

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

export const reaction = z
  .strictObject({
    emoji,
    count: count.min(1),
    mine: z.boolean(),
    users: z.array(userId).max(LIMITS.reactionUsersShown),
  })
  .refine(({ count: n, users }) => users.length === Math.min(n, LIMITS.reactionUsersShown), {
    message: 'users are the first of those who reacted',
  });

/** Fields that reads add to a message. */
const messageState = {
  edited: z.strictObject({ ts: tsMs }).exactOptional(),
  deleted: z.strictObject({ ts: tsMs, by: userId }).exactOptional(),
  reactions: z.array(reaction).min(1).max(LIMITS.emojiPerMessageMax).exactOptional(),
  replies: z.strictObject({ n: count.min(1), seq: seq.min(1), ts: tsMs }).exactOptional(),
  pinned: z.literal(true).exactOptional(),
};

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
    text: z.union([text, z.literal('')]).exactOptional(),
    thread: seq.min(1).exactOptional(),
    mentions: z.array(userId).min(1).max(LIMITS.mentionsMax).exactOptional(),
    data: z.unknown().exactOptional(),
    erased: z.literal(true).exactOptional(),
    ...messageState,
  })
  .refine((value) => value.type !== 'text' || value.clientMsgId !== undefined, {
    message: 'an entry of type text has clientMsgId',
  })
  .refine((value) => value.type !== 'text' || isTextAsItShouldBe(value), {
    message: 'a message has a text; deleted: an empty one if it was read, and none if it was delivered',
  });

function isTextAsItShouldBe(message: { text?: string; erased?: true; deleted?: object }): boolean {
  if (message.deleted !== undefined) return message.erased === true && message.text === '';
  return message.erased === true ? message.text === undefined : Boolean(message.text);
}

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

/** Every list of messages comes from one log, ascending. */
const messages = z.array(entry).refine(
  (list) =>
    list.every((item, index) => {
      const before = list[index - 1];
      if (item.type !== 'text') return false;
      if (before === undefined) return true;
      return item.seq > before.seq && item.epoch === before.epoch && item.room === before.room;
    }),
  { message: 'are messages of one log, ascending' },
);

const logState = { epoch, head: seq, n: seq, first: seq.min(1) };
const reason = z.enum(['too_far', 'trimmed', 'epoch']);
const recovered = { recovered: z.literal(true) };
const notRecovered = { recovered: z.literal(false), reason: reason.exactOptional() };

export const visibility = z.enum(['public', 'private', 'direct']);
const roomInfo = {
  visibility,
  title: z.string(),
  topic: z.string().exactOptional(),
  readOnly: z.literal(true).exactOptional(),
  slowModeS: z.int().min(1).exactOptional(),
  mutedUntilTs: z.int().min(0).exactOptional(),
};
const state = { room: roomId, role, ...logState, ...roomInfo };
/** A room without entries. */
export const roomState = z.strictObject(state);
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
export const actData = z.strictObject({ seq: seq.min(1) });
export const nextCursor = z.string().min(1).exactOptional();
export const historyData = z.strictObject({
  epoch,
  head: seq,
  first: seq.min(1),
  messages: entries,
  hasMore: z.boolean(),
});

export const messagesData = z
  .strictObject({ epoch, head: seq, messages, hasMore: z.boolean(), hasNewer: z.boolean() })
  .refine(({ head, messages: list }) => list.every((one) => one.seq <= head), { message: 'messages are up to head' });

const snippet = z
  .strictObject({
    text: z.string().max(LIMITS.snippetCharsMax),
    marks: z.array(z.tuple([count, count])),
  })
  .refine(({ text: shown, marks }) => marks.every(([start, end]) => start < end && end <= shown.length), {
    message: 'marks are parts of the text',
  })
  .refine(({ marks }) => marks.every(([start], index) => start >= (marks[index - 1]?.[1] ?? 0)), {
    message: 'marks are ascending, without overlaps',
  });
const found = entry
  .safeExtend({ snippet })
  .refine((message) => message.type === 'text' && message.deleted === undefined, { message: 'is a message' });
export const searchData = z.strictObject({
  messages: z.array(found).max(LIMITS.searchPageMax),
  cursor: nextCursor,
});

const readPosition = z.strictObject({ seq, n: seq });
const unreadCounts = { unread: count, mentions: count };
export const readData = z.strictObject({ ...readPosition.shape, ...unreadCounts });
const notify = z.enum(['all', 'mentions', 'none']);

export const myRoom = z
  .strictObject({
    room: roomId,
    title: z.string(),
    visibility,
    role,
    epoch,
    head: seq,
    n: seq,
    last: entry.exactOptional(),
    read: readPosition,
    ...unreadCounts,
    notify,
    with: userId.exactOptional(),
  })
  .refine(({ n, read, unread }) => unread === Math.max(0, n - read.n), { message: 'unread is n − read.n' })
  .refine((one) => (one.visibility === 'direct') === (one.with !== undefined), {
    message: 'with names the other user of a direct room',
  });
export const reader = z.strictObject({ user: userId, seq });
export const readers = z.array(reader).max(LIMITS.receiptMembersMax);
export const removalReason = z.enum(['kicked', 'banned', 'left', 'closed', 'deleted']);

export const presenceUser = z.strictObject({
  id: userId,
  name: displayName,
  status: z.enum(['online', 'away', 'dnd']),
  text: z.string().exactOptional(),
});
export const seenUsers = z.strictObject({
  users: z.array(
    z.strictObject({
      id: userId,
      status: z.enum(['online', 'away', 'dnd', 'offline']),
      text: z.string().min(1).exactOptional(),
      lastSeenTs: tsMs.exactOptional(),
    }),
  ),
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

export const nothing = z.strictObject({});

export const resumedRoom = z.union([
  z.discriminatedUnion('recovered', [
    z.strictObject({ ...logState, ...recovered }),
    z.strictObject({ ...logState, ...notRecovered }),
  ]),
  z.strictObject({ error: errorBody }),
]);

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

/** A line of an export: an entry as it was appended, or the last line. */
export const exportLine = z.union([
  entry.safeExtend({ cursor: z.string().min(1) }),
  z.strictObject({ end: z.literal(true), entries: count }),
]);

export const nodeName = z.string().min(1);

/** A connection of a user, as administrators see it. */
export const sessionOnNode = z.strictObject({
  node: nodeName,
  sinceTs: tsMs,
  rooms: count,
  roles: z.array(z.string()),
  transport: z.enum(['websocket', 'polling']),
  program: z.string().min(1).exactOptional(),
});
