/**
 * The only module that spells the gateway's Redis keys and channels. Every key of a room carries
 * the hash tag `{room}`, so a room lives on one shard of a Redis Cluster, and one script can use
 * all its keys.
 */

/**
 * Hash: epoch, base, title, topic, visibility, owner, readOnly, slowModeS, closed, guarded (see
 * `log/room-epoch.lua`), deleted, cleared (the number of the epoch that the last deletion opened),
 * first. The archiver writes archived (the newest seq in the archive) and archivedFrom (the
 * oldest).
 */
export const roomMetaKey = (room: string): string => `maru:{${room}}:meta`;
/** Stream: the log, ids `seq-0`. */
export const roomLogKey = (room: string): string => `maru:{${room}}:log`;
/** Hash: `userId LF clientMsgId` → seq, as long as the entry is kept. */
export const roomIdsKey = (room: string): string => `maru:{${room}}:ids`;
/** Hash: user id → role. In a private room all members, in a public room only users with a role. */
export const roomRolesKey = (room: string): string => `maru:{${room}}:roles`;
/** Hash: bans, kicks and mutes of the room, see `log/room-guard.lua`. */
export const roomSanctionsKey = (room: string): string => `maru:{${room}}:sanctions`;
/** Sorted set: user by the time (ms) of the last message, while slow mode is on. */
export const roomPacesKey = (room: string): string => `maru:{${room}}:paces`;
/**
 * Hash: effects of later entries on messages, see `log/room-overlay.lua`. Each message with one of
 * the next two keys has a field here, so these keys can be found.
 */
export const roomOverlayKey = (room: string): string => `maru:{${room}}:overlay`;
/**
 * Prefixes of keys, followed by the `seq` of a message. Sorted sets: reactions to it, and its
 * replies.
 */
export const roomReactionsPrefix = (room: string): string => `maru:{${room}}:reactions:`;
export const roomRepliesPrefix = (room: string): string => `maru:{${room}}:replies:`;
/** Hash: seq → the rest of an entry whose text was deleted. */
export const roomErasedKey = (room: string): string => `maru:{${room}}:erased`;
/** Sorted set: pinned messages by `seq`. */
export const roomPinsKey = (room: string): string => `maru:{${room}}:pins`;
/**
 * Sorted set: changes to messages that have left the log, `target LF changeSeq` by the seq of the
 * change. A member leaves it together with the entry of the change.
 */
export const roomLateKey = (room: string): string => `maru:{${room}}:late`;
/** Sorted set, all scores 0: mentions of users, see `log/room-overlay.lua`. */
export const roomMentionsKey = (room: string): string => `maru:{${room}}:mentions`;
/** Hash: user id → `seq n` of the read position. */
export const roomReadsKey = (room: string): string => `maru:{${room}}:reads`;
/** Hash: room → data of the room in the user's list, see `inbox/room-list.ts`. */
export const userRoomListKey = (userId: string): string => `maru:list:{${encodeURIComponent(userId)}}`;
/** String: the id of the direct room of two users. `pair` is a hash of both ids. */
export const directRoomKey = (pair: string): string => `maru:direct:{${pair}}`;
/** Sharded channel: events for all connections of a user. */
export const userInboxChannel = (userId: string): string => `maru:inbox:{${encodeURIComponent(userId)}}`;
/** Hash: `seq LF userId` of a report → JSON of it. */
export const roomReportsKey = (room: string): string => `maru:{${room}}:reports`;
/** Sorted set: rooms with a report, by the time (ms of the store's clock) of the newest report. */
export const reportedRoomsKey = (): string => 'maru:reported';
/** Sharded channel on which the room's new entries are announced. */
export const roomLiveChannel = (room: string): string => `maru:{${room}}:live`;
/** The room of such a channel; undefined for any other name. */
export const roomOfLiveChannel = (channel: string): string | undefined => /^maru:\{(.+)\}:live$/.exec(channel)?.[1];
/** The pattern of a scan for rooms, and the room of a found key. */
export const roomMetaPattern = (): string => 'maru:{*}:meta';
export const roomOfMetaKey = (key: string): string | undefined => /^maru:\{(.+)\}:meta$/.exec(key)?.[1];
/** Sorted set, all scores 0: ids of public rooms, in lexical order for paging. */
export const publicRoomsKey = (): string => 'maru:rooms';
/** The cluster-wide token buckets of a user. */
export type QuotaKind = 'messages' | 'joins' | 'typing';
/**
 * Hash: the cluster-wide token buckets of one user: messages and stored bytes, joins, or typing.
 * `spare` 1 and 2 replace it while its shard is unhealthy.
 */
export const userQuotaKey = (userId: string, spare = 0, kind: QuotaKind = 'messages'): string =>
  `maru:quota:{${spare} ${encodeURIComponent(userId)}}${kind === 'messages' ? '' : `:${kind}`}`;
/** Hash: node → the user's connections on it and their expiry, if they are more than a few. */
export const userConnectionsKey = (userId: string): string => `maru:connections:{${encodeURIComponent(userId)}}`;
/** Sorted set: rooms that the user created, by time in milliseconds of the store's clock. */
export const userRoomsKey = (userId: string): string => `maru:made:{${encodeURIComponent(userId)}}`;
/** String: written and removed, to test whether a shard accepts writes. */
export const writeProbeKey = (tag: string, node: string): string => `maru:probe:{${tag}}:${node}`;
/** Stream: shows how the store keeps entries, see `log/erasure-check.ts`. */
export const erasureProbeKey = (node: string): string => `maru:probe:{erasure}:${node}`;
/**
 * String: a write to wait for, if an acknowledgement needs replicas but nothing else was written.
 */
export const waitProbeKey = (tag: string): string => `maru:probe:{${tag}}:wait`;
/**
 * Hash: node → its connections; sorted set: node → when it last reported, in milliseconds of
 * the store's clock.
 */
export const nodeLoadsKey = (): string => 'maru:{nodes}:loads';
export const nodesSeenKey = (): string => 'maru:{nodes}:seen';
/** Hash: node → JSON of its last report, see `nodes/reports.ts`. */
export const nodeReportsKey = (): string => 'maru:{nodes}:reports';
/** Sharded channels: questions to all nodes, and answers to one node. See `nodes/questions.ts`. */
export const questionsChannel = (): string => 'maru:{nodes}:questions';
export const answersChannel = (node: string): string => `maru:{nodes}:answers:${node}`;
/**
 * Sorted set: user id → when the user was revoked, in milliseconds of the store's clock; and
 * stream:
 * orders of administrators to all nodes. A new order is signalled on the sharded channel.
 */
export const revocationsKey = (): string => 'maru:{control}:revoked';
export const ordersKey = (): string => 'maru:{control}:orders';
export const ordersChannel = (): string => 'maru:{control}:signal';
/**
 * Sorted set: rooms with entries that the archive may lack, by the time (ms of the store's clock)
 * since when. Set: rooms that the archive has caught up with, whose logs may be trimmed.
 */
export const archiveDirtyKey = (): string => 'maru:{archive}:dirty';
/** Sorted set: rooms that an archiver is copying. */
export const archiveClaimsKey = (): string => 'maru:{archive}:claims';
export const archiveTrimKey = (): string => 'maru:{archive}:trim';
/**
 * Attempts to sign in with a password, see `sign-in/begin-attempt.lua`. Accounts and addresses are
 * digests.
 */
export const signInFailuresKey = (): string => 'maru:{sign-in}:failures';
export const signInFailureTimesKey = (): string => 'maru:{sign-in}:times';
export const signInBudgetsKey = (): string => 'maru:{sign-in}:budgets';
/** Sorted set: addresses from which the account signed in, by time. */
export const signInKnownKey = (account: string): string => `maru:{sign-in}:known:${account}`;
/** Stream: audit events of one kind. */
export const auditKey = (kind: 'acts' | 'sign-ins'): string => `maru:audit:{${kind}}`;
