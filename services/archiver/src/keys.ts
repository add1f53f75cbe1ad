/**
 * The only module that spells the archiver's Redis keys. Keys of rooms belong to the gateway and
 * have the same spelling there (`services/gateway/src/keys.ts`).
 */

export const roomMetaKey = (room: string): string => `maru:{${room}}:meta`;
export const roomLogKey = (room: string): string => `maru:{${room}}:log`;
export const roomErasedKey = (room: string): string => `maru:{${room}}:erased`;
export const roomPinsKey = (room: string): string => `maru:{${room}}:pins`;
/** The pattern of a scan for rooms, and the room of a found key. */
export const roomMetaPattern = (): string => 'maru:{*}:meta';
export const roomOfMetaKey = (key: string): string | undefined => /^maru:\{(.+)\}:meta$/.exec(key)?.[1];

export const archiveKeys = {
  /** Sorted set: rooms to copy, by the time (ms of Redis' clock) since which they wait. */
  dirty: 'maru:{archive}:dirty',
  /** Sorted set: rooms that a worker has claimed, by the end of the claim. */
  claims: 'maru:{archive}:claims',
  /** Hash: claimed room → `worker since`. */
  holders: 'maru:{archive}:holders',
  /** Set: rooms that the archive has caught up with. Gateways trim their logs. */
  trim: 'maru:{archive}:trim',
  /** String: the archiver that currently scans all rooms. */
  scanner: 'maru:{archive}:scanner',
} as const;
