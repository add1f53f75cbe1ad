/** Answers and server events, as clients see them. Times are milliseconds of the store's clock. */
import type { Entry, Role, UserRef } from './entries.ts';
import type { ErrorBody } from './errors.ts';

export type Status = 'online' | 'away' | 'dnd' | 'invisible';

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

/** The settings of a room, and their effect on the user who joins. */
export interface RoomInfo {
  visibility: Visibility;
  title: string;
  topic?: string;
  /** Only moderators and owners write. */
  readOnly?: true;
  /** Seconds between two messages of one member. */
  slowModeS?: number;
  /** The user may not write until this time. 0 means without end. */
  mutedUntilTs?: number;
}

export type JoinData = { room: string; role: Role; messages: Entry[] } & LogState & Recovery & RoomInfo;

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
  /** The author of the message, and the reporter. */
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
  /** Older messages exist. */
  hasMore: boolean;
  /** Newer messages exist. */
  hasNewer: boolean;
}

/** A message that a search has found. */
export interface FoundMessage extends Entry {
  snippet: Snippet;
}

/**
 * A part of the text that contains the matches. It is plain text, whatever characters it contains.
 */
export interface Snippet {
  text: string;
  /** Start and end in `text`, in UTF-16 code units. Ascending, without overlaps. */
  marks: Array<[start: number, end: number]>;
}

export interface SearchData {
  /** Newest first. */
  messages: FoundMessage[];
  cursor?: string;
}

export type Notify = 'all' | 'mentions' | 'none';

/** A user's position in a room: everything up to `seq` is read. */
export interface ReadPosition {
  seq: number;
  /** Messages up to `seq`. */
  n: number;
}

export interface ReadData extends ReadPosition {
  /** Number of messages above the position. */
  unread: number;
  /**
   * Number of messages above the position that mention the user or the room, and are not deleted.
   */
  mentions: number;
}

/** A room in a user's list. */
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

/** At most one a second for each room. May be lost. */
export interface Receipt {
  room: string;
  readers: Reader[];
}

/** Reaches every connection of a user, whether it has joined the room or not. May be lost. */
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

/** Answer of `GET /presence`. */
export interface SeenUser {
  id: string;
  status: Exclude<Status, 'invisible'> | 'offline';
  text?: string;
  /** When the user was last seen (ms). Only for offline users, and for 30 days. */
  lastSeenTs?: number;
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
  /** Features of this cluster, for example `guests`. */
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
  | 'store'
  | 'announcement';

export interface Notice {
  code: NoticeCode;
  reconnectInMs?: number;
  /** The text of an administrator's announcement to all users. */
  text?: string;
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

/** The answer to a sign-in with a password, and to a renewal. */
export interface SignInData {
  token: string;
  user: UserRef;
  /** When the token expires, in milliseconds since 1970. */
  expiresAt: number;
}

/** The ways to sign in that a cluster offers. */
export interface AuthConfig {
  guests: boolean;
  /** With the name and password of a directory account. */
  ldap: boolean;
  /**
   * At an OpenID provider, whose tokens are accepted. `name`: display name. `scope`: the scope to
   * request. `token`: which of the provider's tokens the client must use.
   */
  oidc: { issuer: string; clientId: string; name: string; scope: string; token: 'access' | 'id' } | null;
}
