/** Removes the oldest entries of a room that are kept for too long. See `trim-log.lua`. */
import { loadScript } from '@maru/redis-store';
import {
  roomErasedKey,
  roomIdsKey,
  roomLateKey,
  roomLogKey,
  roomMentionsKey,
  roomMetaKey,
  roomOverlayKey,
  roomPinsKey,
  roomReactionsPrefix,
  roomRepliesPrefix,
} from '../keys.ts';
import type { Call } from './call.ts';

export const trimScript = loadScript(
  new URL('./trim-log.lua', import.meta.url),
  ...['./room-epoch.lua', './room-entry.lua', './room-overlay.lua'].map((file) => new URL(file, import.meta.url)),
);

export interface Retention {
  entriesMin: number;
  entriesMax: number;
  ageMs: number;
  /** After this time an empty public room is removed. */
  emptyRoomTtlMs: number;
  /** An entry is kept until the archive has it and all that concerns it. */
  archive: boolean;
}

/** A room is trimmed each time it has grown by this many entries. */
export const TRIM_EVERY = 64;
/** Maximum entries that one call removes. */
export const TRIM_BATCH = 128;

export function trimCallOf(room: string, { entriesMin, entriesMax, ageMs, archive }: Retention): Call {
  const keys = [
    roomMetaKey(room),
    roomLogKey(room),
    roomIdsKey(room),
    roomErasedKey(room),
    roomOverlayKey(room),
    roomReactionsPrefix(room),
    roomRepliesPrefix(room),
    roomPinsKey(room),
    roomMentionsKey(room),
    roomLateKey(room),
  ];
  return { script: trimScript, args: [...keys, entriesMin, entriesMax, ageMs, TRIM_BATCH, archive ? '1' : '0'] };
}
