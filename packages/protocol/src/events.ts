/**
 * The shapes of the public contract, as clients see them. Times are milliseconds of the store's
 * clock.
 */
import type { ErrorBody } from './errors.ts';

export type Role = 'owner' | 'moderator' | 'member';
export type Status = 'online' | 'away' | 'dnd' | 'invisible';

/** A position in a room's log: every entry up to and including `seq` of that `epoch`. */
export interface Position {
  epoch: string;
  seq: number;
}

export interface UserRef {
  id: string;
  name: string;
}

/** An entry of a room's log. A client counts an entry of an unknown `type` but does not show it. */
export interface Entry extends MessageState {
  room: string;
  epoch: string;
  seq: number;
  ts: number;
  /** Messages (entries of type `text`) up to and including this entry. */
  n: number;
  type: string;
  from: UserRef;
  clientMsgId?: string;
  text?: string;
  /** The `seq` of the message to which this one replies. */
  thread?: number;
  /** User ids, or `['@room']`. */
  mentions?: string[];
  data?: unknown;
  /** The text was deleted: of this message, or of the message that this entry edited. */
  erased?: true;
}

/** What reads add to a message: how it is at the answer's `head`. Live entries have none of it. */
export interface MessageState {
  edited?: { ts: number };
  /** Then `text` is empty. `by` is a user id. */
  deleted?: { ts: number; by: string };
  reactions?: Reaction[];
  /** Of the root of a thread. `seq` and `ts` are those of the newest reply that is not deleted. */
  replies?: { n: number; seq: number; ts: number };
  pinned?: true;
}

export interface Reaction {
  emoji: string;
  count: number;
  /** The reader has reacted so. */
  mine: boolean;
  /** The ids of the first users who reacted, at most 10. */
  users: string[];
}

/** `data` of the entries that change messages, by entry type. */
export interface MessageActEntries {
  'message.edit': { seq: number; text?: string; mentions?: string[] };
  'message.delete': { seq: number; reason?: string };
  'message.react': { seq: number; emoji: string; active: boolean };
  'message.pin': { seq: number; active: boolean };
}

export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody };

/** Why a gap was not closed: too many entries or bytes, no longer kept, or another epoch. */
export type NotRecoveredReason = 'too_far' | 'trimmed' | 'epoch';

export interface LogState {
  epoch: string;
  /** The newest `seq`; 0 in an empty room. */
  head: number;
  /** Messages (entries of type `text`) up to the head. */
  n: number;
  /** The oldest kept `seq`; `head + 1` if none is kept. */
  first: number;
}

export type Recovery = { recovered: true } | { recovered: false; reason?: NotRecoveredReason };

export interface RenewData {
  /** When the new token expires. */
  expiresAt: number;
}

export type Visibility = 'public' | 'private' | 'direct';

export interface CreateData {
  room: string;
  title: string;
  visibility: Visibility;
  /** `owner`; in a direct room both are `member`. */
  role: Role;
}

/** The settings of a room, and what they mean for the user who joins. */
export interface RoomInfo {
  visibility: Visibility;
  title: string;
  topic?: string;
  /** Only moderators and owners write. */
  readOnly?: true;
  /** Seconds between two messages of one member. */
  slowModeS?: number;
  /** The user may not write: until this time, or without an end if it is 0. */
  mutedUntilTs?: number;
}

export type JoinData = { room: string; role: Role; messages: Entry[] } & LogState & Recovery & RoomInfo;

/** `data` of the entries that acts store, by entry type. */
export interface ActEntries {
  'room.update': { title?: string; topic?: string; readOnly?: boolean; slowModeS?: number; closed?: boolean };
  'room.role': { user: string; role: Role };
  'room.kick': { user: string; untilTs?: number; reason?: string };
  'room.ban': { user: string; untilTs?: number; reason?: string };
  'room.unban': { user: string; reason?: string };
  'room.mute': { user: string; untilTs?: number; reason?: string };
  'room.unmute': { user: string; reason?: string };
  'room.invite': { user: string };
  'room.leave': { user: string };
}

export interface ActData {
  seq: number;
}

export interface Ban {
  user: string;
  kind: 'ban' | 'mute';
  untilTs?: number;
  by: string;
  reason?: string;
}

export interface BansData {
  bans: Ban[];
  cursor?: string;
}

export interface Report {
  id: string;
  seq: number;
  /** Who wrote the message, and who reported it. */
  from: string;
  by: string;
  reason: string;
  ts: number;
}

export interface ReportsData {
  reports: Report[];
  cursor?: string;
}

export interface SendData {
  epoch: string;
  seq: number;
  ts: number;
  /** Messages up to and including this entry. */
  n: number;
  duplicate: boolean;
}

export interface HistoryData {
  epoch: string;
  head: number;
  first: number;
  messages: Entry[];
  hasMore: boolean;
}

export interface MessagesData {
  epoch: string;
  head: number;
  /** Ascending. */
  messages: Entry[];
  /** Older ones exist. */
  hasMore: boolean;
  /** Newer ones exist. */
  hasNewer: boolean;
}

export type Notify = 'all' | 'mentions' | 'none';

/** A user's position in a room: everything up to `seq` is read. */
export interface ReadPosition {
  seq: number;
  /** Messages up to `seq`. */
  n: number;
}

export interface ReadData extends ReadPosition {
  /** Messages above the position. */
  unread: number;
  /** Messages above the position that mention the user or the room, and are not deleted. */
  mentions: number;
}

/** A room in the list of a user. */
export interface MyRoom {
  room: string;
  title: string;
  visibility: Visibility;
  role: Role;
  epoch: string;
  head: number;
  n: number;
  /** The newest message. */
  last?: Entry;
  read: ReadPosition;
  unread: number;
  mentions: number;
  notify: Notify;
  /** The id of the other user of a direct room. */
  with?: string;
}

export interface MyRoomsData {
  rooms: MyRoom[];
  cursor?: string;
}

export interface Reader {
  user: string;
  seq: number;
}

export interface ReadersData {
  readers: Reader[];
}

/** At most one a second a room. May be lost. */
export interface Receipt {
  room: string;
  readers: Reader[];
}

/** Reaches every connection of a user, joined to the room or not. May be lost. */
export type InboxEvent =
  /** A message in a direct room, or one that mentions the user. */
  | { type: 'message' | 'mention'; room: string; seq: number; ts: number; n: number; from: UserRef; text: string }
  | { type: 'invite'; room: string; title: string; from: UserRef }
  | { type: 'removed'; room: string; reason: RemovalReason }
  /** The user's own read position moved on another connection. */
  | ({ type: 'read'; room: string } & ReadData);

export interface PresenceUser extends UserRef {
  status: Exclude<Status, 'invisible'>;
  text?: string;
}

/** `users` is missing in large rooms. */
export interface PresenceSnapshot {
  count: number;
  users?: PresenceUser[];
}

/** The difference since the last snapshot or difference. Names are missing in large rooms. */
export interface PresenceDiff {
  room: string;
  count: number;
  joins: PresenceUser[];
  leaves: Array<{ id: string }>;
  updates: PresenceUser[];
}

export interface MembersData {
  members: Array<{ user: string; role: Role }>;
  cursor?: string;
}

export type ResumedRoom = (LogState & Recovery) | { error: ErrorBody };

export interface SessionData {
  user: UserRef & { roles: string[] };
  sessionId: string;
  limits: Record<string, number>;
  /** What this cluster has, for example `guests`. */
  features: string[];
  rooms: Record<string, ResumedRoom>;
}

export type NoticeCode =
  | 'draining'
  | 'rebalance'
  | 'degraded'
  | 'recovered'
  | 'revoked'
  | 'expiring'
  | 'slow_consumer'
  | 'too_many_connections'
  | 'flood'
  | 'store';

export interface Notice {
  code: NoticeCode;
  reconnectInMs?: number;
  /** For developers, in English. */
  message?: string;
}

export type RoomEvent =
  | { type: 'epoch'; room: string; epoch: string; head: number }
  | { type: 'removed'; room: string; reason: RemovalReason };

/** Why a connection no longer receives a room. */
export type RemovalReason = 'kicked' | 'banned' | 'left' | 'closed' | 'deleted';

export interface TypingSignal {
  room: string;
  user: UserRef;
  active: boolean;
  thread?: number;
}

/** The common part of requests that change a message. */
export interface OnMessage {
  room: string;
  seq: number;
  clientMsgId: string;
}

/** `forMs`: how long it lasts; without it, it has no end (a kick: 60 s). */
export interface SanctionRequest {
  room: string;
  clientMsgId?: string;
  user: string;
  forMs?: number;
  reason?: string;
}

/** Client → server: payload and the data of a successful acknowledgement. */
export interface ClientRequests {
  'auth:renew': [{ token: string }, RenewData];
  'room:create': [{ room?: string; visibility?: Visibility; title?: string; user?: string }, CreateData];
  'room:join': [{ room: string; since?: Position; limit?: number }, JoinData];
  'room:leave': [{ room: string }, Record<string, never>];
  'room:members': [{ room: string; cursor?: string; limit?: number }, MembersData];
  'room:invite': [{ room: string; user: string }, Record<string, never>];
  'room:update': [
    {
      room: string;
      clientMsgId: string;
      title?: string;
      topic?: string;
      readOnly?: boolean;
      slowModeS?: number;
    },
    SendData,
  ];
  'room:quit': [{ room: string; clientMsgId: string }, SendData];
  'room:delete': [{ room: string }, Record<string, never>];
  'room:role': [{ room: string; clientMsgId?: string; user: string; role: Role }, ActData];
  'room:kick': [SanctionRequest, ActData];
  'room:ban': [SanctionRequest, ActData];
  'room:unban': [SanctionRequest, ActData];
  'room:mute': [SanctionRequest, ActData];
  'room:unmute': [SanctionRequest, ActData];
  'room:bans': [{ room: string; cursor?: string; limit?: number }, BansData];
  'message:report': [{ room: string; seq: number; reason: string }, Record<string, never>];
  'room:reports': [{ room: string; cursor?: string; limit?: number }, ReportsData];
  'room:report-close': [{ room: string; id: string }, Record<string, never>];
  'message:send': [
    { room: string; clientMsgId: string; text: string; thread?: number; mentions?: string[] },
    SendData,
  ];
  'message:edit': [OnMessage & { text: string; mentions?: string[] }, SendData];
  'message:delete': [OnMessage & { reason?: string }, SendData];
  'message:react': [OnMessage & { emoji: string; active: boolean }, SendData];
  'message:pin': [OnMessage & { active: boolean }, SendData];
  'history:read': [{ room: string; before?: number; after?: number; limit?: number; epoch?: string }, HistoryData];
  'messages:read': [
    {
      room: string;
      before?: number;
      after?: number;
      around?: number;
      thread?: number;
      pinned?: true;
      limit?: number;
    },
    MessagesData,
  ];
  'rooms:mine': [{ cursor?: string; limit?: number }, MyRoomsData];
  'room:follow': [{ room: string; active: boolean; notify?: Notify }, Record<string, never>];
  'room:read': [{ room: string; seq: number }, ReadData];
  'room:readers': [{ room: string }, ReadersData];
  typing: [{ room: string; active: boolean; thread?: number }, Record<string, never>];
  'presence:watch': [{ room: string }, PresenceSnapshot];
  'presence:unwatch': [{ room: string }, Record<string, never>];
  'presence:set': [{ status: Status; text?: string }, Record<string, never>];
}

export type ClientEventName = keyof ClientRequests;

/** Server → client. */
export interface ServerEvents {
  session: (session: SessionData) => void;
  message: (entry: Entry) => void;
  typing: (event: TypingSignal) => void;
  presence: (diff: PresenceDiff) => void;
  'room:event': (event: RoomEvent) => void;
  receipt: (receipt: Receipt) => void;
  inbox: (event: InboxEvent) => void;
  notice: (notice: Notice) => void;
}
