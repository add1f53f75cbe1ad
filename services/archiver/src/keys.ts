/**
 * The only speller of the archiver's Redis keys. Those of rooms are the gateway's, with the same
 * spelling (`services/gateway/src/keys.ts`).
 */

export const roomMetaKey = (room: string): string => `maru:{${room}}:meta`;
export const roomLogKey = (room: string): string => `maru:{${room}}:log`;
export const roomErasedKey = (room: string): string => `maru:{${room}}:erased`;
export const roomPinsKey = (room: string): string => `maru:{${room}}:pins`;
/** What a scan finds rooms by, and the room of what it found. */
export const roomMetaPattern = (): string => 'maru:{*}:meta';
export const roomOfMetaKey = (key: string): string | undefined => /^maru:\{(.+)\}:meta$/.exec(key)?.[1];

export const archiveKeys = {
  /** Sorted set: rooms to look at, by the time (ms of Redis' clock) since when they wait. */
  dirty: 'maru:{archive}:dirty',
  /** Sorted set: rooms that a worker has claimed, by the end of the claim. */
  claims: 'maru:{archive}:claims',
  /** Hash: claimed room → `worker since`. */
  holders: 'maru:{archive}:holders',
  /** Set: rooms that the archive caught up with. Gateways trim their logs. */
  trim: 'maru:{archive}:trim',
  /** String: the archiver that scans all rooms now. */
  scanner: 'maru:{archive}:scanner',
} as const;
