/** Deletes a room with all its data. */
import { randomBytes } from 'node:crypto';
import { isPrivateRoomId } from '@maru/protocol';
import { loadScript, type RedisStore, runScript } from '@maru/redis-store';
import {
  roomErasedKey,
  roomIdsKey,
  roomLateKey,
  roomLiveChannel,
  roomLogKey,
  roomMentionsKey,
  roomMetaKey,
  roomOverlayKey,
  roomPacesKey,
  roomPinsKey,
  roomReactionsPrefix,
  roomReadsKey,
  roomRepliesPrefix,
  roomReportsKey,
  roomRolesKey,
  roomSanctionsKey,
} from '../keys.ts';

export const deleteScript = loadScript(
  new URL('./delete-room.lua', import.meta.url),
  new URL('../log/room-epoch.lua', import.meta.url),
);

/**
 * The mark of a deleted room expires after 30 days. A gateway that remembers the room for longer,
 * without any request for it, would mistake the missing log for a rollback.
 */
const MARK_MS = 30 * 86_400_000;

/** `by` is the owner who deletes it, or '' for an administrator. Rejects with the store's error. */
export async function deleteRoom(
  store: RedisStore,
  room: string,
  by: string,
): Promise<'deleted' | 'not_found' | 'forbidden'> {
  const keys = [
    roomMetaKey(room),
    roomLogKey(room),
    roomIdsKey(room),
    roomRolesKey(room),
    roomLiveChannel(room),
    roomSanctionsKey(room),
    roomPacesKey(room),
    roomReportsKey(room),
    roomOverlayKey(room),
    roomReactionsPrefix(room),
    roomRepliesPrefix(room),
    roomErasedKey(room),
    roomPinsKey(room),
    roomMentionsKey(room),
    roomReadsKey(room),
    roomLateKey(room),
  ];
  const args = [randomBytes(8).toString('hex'), MARK_MS, by, isPrivateRoomId(room) ? '1' : '0'];
  return (await runScript(store, deleteScript, keys, args)) as 'deleted' | 'not_found' | 'forbidden';
}
