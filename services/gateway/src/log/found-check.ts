/**
 * Checks messages that a search has found in the archive, with one call of `check-found.lua` for
 * each room.
 */
import { isPrivateRoomId } from '@maru/protocol';
import { gatherWrites, loadScript, type RedisStore, runScript } from '@maru/redis-store';
import {
  roomErasedKey,
  roomLateKey,
  roomLiveChannel,
  roomLogKey,
  roomMetaKey,
  roomOverlayKey,
  roomReactionsPrefix,
  roomRolesKey,
  roomSanctionsKey,
} from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { decodeStoredEntries, type StoredEntry } from './entry-codec.ts';
import type { LateChange } from './hot-log.ts';
import { toLate } from './read-replies.ts';
import type { SeenPositions } from './seen-positions.ts';

/** Messages of one room that a search has found. */
export interface FoundInRoom {
  room: string;
  seqs: readonly number[];
  /** The newest seq of the room in the archive at that moment. */
  position: number;
}

/** The current state of the found messages. All of it is of one moment. */
export interface CheckedRoom {
  epoch: string;
  /** The oldest seq in the log. */
  first: number;
  /** The number of the epoch that the last deletion of the room opened. 0 if there was none. */
  cleared: number;
  /** Those messages that are in the log, as the user sees them. */
  entries: StoredEntry[];
  /**
   * Changes of the other messages that the archive did not have. Undefined if there are too many.
   */
  late: LateChange[] | undefined;
}

/** `hidden`: the room does not exist, or the user may not read it. Rejects `unavailable`. */
export type CheckFound = (userId: string, found: FoundInRoom) => Promise<CheckedRoom | 'hidden'>;

const script = loadScript(
  new URL('./check-found.lua', import.meta.url),
  ...['./room-epoch.lua', './room-entry.lua', './room-guard.lua', './room-overlay.lua', './late-changes.lua'].map(
    (file) => new URL(file, import.meta.url),
  ),
);

export function createFoundCheck({ store, seen }: { store: RedisStore; seen: SeenPositions }): CheckFound {
  return async (userId, { room, seqs, position }) => {
    gatherWrites(store.shardOf(roomLogKey(room)));
    const keys = [
      roomMetaKey(room),
      roomLogKey(room),
      roomRolesKey(room),
      roomLiveChannel(room),
      roomSanctionsKey(room),
      roomOverlayKey(room),
      roomErasedKey(room),
      roomReactionsPrefix(room),
      roomLateKey(room),
    ];
    const args = [
      userId,
      isPrivateRoomId(room) ? '1' : '0',
      ...seen.scriptArguments(room),
      ...[position, JSON.stringify(seqs)],
    ];
    let reply: unknown[];
    try {
      reply = (await runScript(store, script, keys, args)) as unknown[];
    } catch (error) {
      throw unavailable(error);
    }
    if (reply[0] === 'deleted') seen.forget(room);
    if (reply[0] !== 'ok') return 'hidden';
    const [, epoch, first, cleared, entries, late] = reply as [string, string, number, number, string, unknown];
    return { epoch, first, cleared, entries: decodeStoredEntries(entries), late: toLate(late) };
  };
}
