/** Reading a room's log in pages, whichever way it was asked. */
import { type HistoryData, MaruError, type RequestOf } from '@maru/protocol';
import type { ReadPiece, RoomLog } from './room-log.ts';
import { toEntry } from './wire-entry.ts';

export type ReadHistory = (userId: string, request: RequestOf<'history:read'>) => Promise<HistoryData>;

export function createReadHistory(options: { log: RoomLog }): ReadHistory {
  return async (userId, { room, before, after, limit, epoch }) => {
    const read = await options.log.read(room, { userId }, pieceOf(before, after, limit));
    if (epoch !== undefined && epoch !== read.epoch) {
      throw new MaruError('conflict', 'the log has begun a new epoch; read it again from its head');
    }
    const messages = read.entries.map((entry) => toEntry(room, read.epoch, entry));
    const oldest = messages[0]?.seq ?? before ?? read.head + 1;
    const newest = messages.at(-1)?.seq ?? Math.max(after ?? 0, read.first - 1);
    const hasMore = after === undefined ? oldest > read.first : newest < read.head;
    return { epoch: read.epoch, first: read.first, messages, hasMore };
  };
}

function pieceOf(before: number | undefined, after: number | undefined, limit: number): ReadPiece {
  if (before !== undefined) return { mode: 'before', seq: before, limit };
  if (after !== undefined) return { mode: 'after', seq: after, limit };
  return { mode: 'newest', limit };
}
