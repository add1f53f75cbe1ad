/**
 * The only speller of presence's Redis keys and channels. Each group shares a hash tag, so that every script of
 * the group works on one slot of a Redis Cluster. Room ids hold neither `:` nor braces, so `{general}`, `{node:…}` and
 * `{user:…}` can never be the same tag; user ids may hold anything and are therefore escaped.
 */

const PREFIX = 'maru:presence:';

export const roomKeys = (room: string) => {
  const base = `${PREFIX}{${room}}`;
  return {
    /** Hash: user id → record (see `tracker.ts`): on which nodes the user is, or was until a moment ago. */
    live: `${base}:live`,
    /** Hash: user id → the user as announced to the room by the last difference. */
    shown: `${base}:shown`,
    /** Hash: user id → the user as the next difference will announce it, '' for gone. */
    changed: `${base}:changed`,
    /** Sorted set: user id by the time (ms) at which its record must be looked at again. */
    due: `${base}:due`,
    /** Hash: `version` and `flushedAt` (ms) of the last difference, `flushAt` (ms) of the next. */
    meta: `${base}:meta`,
  };
};

/** Sharded channel of a room's differences; in the room's slot. The gateway spells the same name on its side. */
export const roomChannel = (room: string): string => `${PREFIX}{${room}}:diffs`;

export const nodeKeys = (node: string) => {
  const base = `${PREFIX}{node:${node}}`;
  return {
    /** Hash: `process`, `startedAt`, `epoch`, `seq`, `leaseUntil`, `committed`. */
    node: `${base}:state`,
    /** Set of the epochs that may still have entries in rooms. */
    epochs: `${base}:epochs`,
  };
};

/** Sorted set: `room user` by the report that entered it last. What must be cleared when that epoch of the node ends. */
export const pairsKey = (node: string, epoch: number): string => `${PREFIX}{node:${node}}:pairs:${epoch}`;

export const userKeys = (userId: string) => {
  const base = `${PREFIX}{user:${encodeURIComponent(userId)}}`;
  return {
    /** Sorted set: rooms that the user is in, by the time (ms) of its last entering. */
    rooms: `${base}:rooms`,
    /** Hash: `status`, `text`, `version`. */
    status: `${base}:status`,
  };
};

/** Sorted set: rooms by the time (ms) at which they need work: a leave's grace ends or a difference is due. */
export const agendaKey = `${PREFIX}agenda`;

/** Sorted set: nodes by the time (ms) at which a sweeper should look at them. */
export const nodeIndexKey = `${PREFIX}nodes`;
