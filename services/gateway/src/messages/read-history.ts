/** Reading a room's log in pages, whichever way it was asked. */
import { type HistoryData, MaruError, type RequestOf } from '@maru/protocol';
import { type ReadPiece, type RoomLog, weigh } from './room-log.ts';
import { toEntry } from './wire-entry.ts';

export type ReadHistory = (
  userId: string,
  request: RequestOf<'history:read'>,
) => Promise<{
  data: HistoryData;
  /** What it weighs. */
  bytes: number;
}>;

export function createReadHistory(options: { log: RoomLog }): ReadHistory {
  return async (userId, { room, before, after, limit, epoch }) => {
    const read = await options.log.read(room, { userId }, pieceOf(before, after, limit));
    if (epoch !== undefined && epoch !== read.epoch) {
      throw new MaruError('conflict', 'the log has begun a new epoch; read it again from its head');
    }
    const messages = read.entries.map((entry) => toEntry(room, read.epoch, entry));
    const [oldest, newest] = [messages[0]?.seq, messages.at(-1)?.seq];
    // Nothing found in a direction means that there is nothing further in it.
    const hasMore = after === undefined ? (oldest ?? 0) > read.first : (newest ?? read.head) < read.head;
    return { data: { epoch: read.epoch, first: read.first, messages, hasMore }, bytes: weigh(read.entries) };
  };
}

function pieceOf(before: number | undefined, after: number | undefined, limit: number): ReadPiece {
  if (before !== undefined) return { mode: 'before', seq: before, limit };
  if (after !== undefined) return { mode: 'after', seq: after, limit };
  return { mode: 'newest', limit };
}
