/** Reading a room's log in pages, whichever way it was asked. Readers of a public room who ask for the same page at the same time share a read. */
import { type HistoryData, isPrivateRoomId, MaruError, type RequestOf } from '@maru/protocol';
import { toEntry } from '../log/entry-codec.ts';
import { type ReadPiece, type RoomLog, weigh } from '../log/room-log.ts';
import { createSingleFlight } from '../log/single-flight.ts';

interface Page {
  data: HistoryData;
  /** What it weighs. */
  bytes: number;
}

export type ReadHistory = (userId: string, request: RequestOf<'history:read'>) => Promise<Page>;

type Piece = Extract<ReadPiece, { mode: 'newest' | 'before' | 'after' }>;

export function createReadHistory(options: { log: RoomLog }): ReadHistory {
  const { log } = options;
  const shared = createSingleFlight<Page>();

  const read = async (userId: string, room: string, piece: Piece): Promise<Page> => {
    const { epoch, first, head, entries } = await log.read(room, { userId }, piece);
    const messages = entries.map((entry) => toEntry(room, epoch, entry));
    const [oldest, newest] = [messages[0]?.seq, messages.at(-1)?.seq];
    // Nothing found in a direction means that there is nothing further in it.
    const hasMore = piece.mode === 'after' ? (newest ?? head) < head : (oldest ?? 0) > first;
    return { data: { epoch, first, messages, hasMore }, bytes: weigh(entries) };
  };

  return async (userId, { room, before, after, limit, epoch }) => {
    const piece = pieceOf(before, after, limit);
    // Who may see a private room is the store's to say, each time.
    const page = isPrivateRoomId(room)
      ? await read(userId, room, piece)
      : await shared.read(`${room} ${JSON.stringify(piece)}`, () => read(userId, room, piece));
    if (epoch !== undefined && epoch !== page.data.epoch) {
      throw new MaruError('conflict', 'the log has begun a new epoch; read it again from its head');
    }
    return page;
  };
}

function pieceOf(before: number | undefined, after: number | undefined, limit: number): Piece {
  if (before !== undefined) return { mode: 'before', seq: before, limit };
  if (after !== undefined) return { mode: 'after', seq: after, limit };
  return { mode: 'newest', limit };
}
