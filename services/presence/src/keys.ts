/**
 * The only module that spells presence's Redis keys, except the channel of differences, which is
 * part of the contract (`@maru/presence-api`).
 *
 * The keys of a group share a hash tag, so one script can use them in a Redis Cluster. Room ids
 * contain neither `:` nor braces, so `{general}`, `{node:…}` and `{user:…}` never collide. User ids
 * may contain anything, so they are escaped.
 */

const PREFIX = 'maru:presence:';

export const roomKeys = (room: string) => {
  const base = `${PREFIX}{${room}}`;
  return {
    /**
     * Hash: user id → record (see `tracker.ts`): the nodes on which the user is, or recently was.
     */
    records: `${base}:live`,
    /** Hash: user id → the user as the last difference announced it. */
    shown: `${base}:shown`,
    /** Hash: user id → the user as the next difference will announce it. '' if the user left. */
    changed: `${base}:changed`,
    /** Sorted set: user id by the time (ms) at which its record changes. */
    due: `${base}:due`,
    /** Hash: `version` and `flushedAt` (ms) of the last difference, `flushAt` (ms) of the next. */
    meta: `${base}:meta`,
  };
};

export const nodeKeys = (node: string) => {
  const base = `${PREFIX}{node:${node}}`;
  return {
    /** Hash: `process`, `startedAt`, `epoch`, `lastEpoch`, `seq`, `leaseUntil`, `committed`. */
    node: `${base}:state`,
    /** Set of the epochs that may have entries in rooms. */
    epochs: `${base}:epochs`,
  };
};

/**
 * Sorted set: `room user` by the report that last entered it. These entries are removed when the
 * epoch ends.
 */
export const pairsKey = (node: string, epoch: number): string => `${PREFIX}{node:${node}}:pairs:${epoch}`;

export const userKeys = (userId: string) => {
  const base = `${PREFIX}{user:${encodeURIComponent(userId)}}`;
  return {
    /** Sorted set: rooms that the user is in, by the time (ms) of the last entry. */
    rooms: `${base}:rooms`,
    /**
     * Hash: `status`, `text`, `version`; `outside` 1 if it was set while the user was in no room of
     * the gateway.
     */
    status: `${base}:status`,
  };
};

/** String: when others last saw the user (ms). */
export const seenKey = (userId: string): string => `${PREFIX}{user:${encodeURIComponent(userId)}}:seen`;

/**
 * Sorted set: rooms by the time (ms) of their next work: a grace period ends or a difference is
 * due.
 */
export const dueRoomsKey = `${PREFIX}agenda`;

/** Sorted set: nodes by the time (ms) at which the sweeper checks them. */
export const dueNodesKey = `${PREFIX}nodes`;
