/**
 * Reading a room's log in pages, for sockets and HTTP. Users who ask for the same page of a public
 * room at the same time share a read.
 */
import { type HistoryData, isPrivateRoomId, MaruError, type RequestOf } from '@maru/protocol';
import { sizeOf, toEntry } from '../log/entry-codec.ts';
import type { Reader, ReadPiece, RoomLog } from '../log/room-log.ts';
import { createSingleFlight } from '../log/single-flight.ts';
import { READS_QUEUE } from '../rooms/work-queues.ts';
import type { Handlers } from './handler.ts';

interface Page {
  data: HistoryData;
  /** The page's size in characters of JSON. */
  bytes: number;
  /** See `ReadResult`. */
  guarded: boolean;
  personal: boolean;
}

export type ReadHistory = (userId: string, request: RequestOf<'history:read'>) => Promise<Page>;

type Piece = Extract<ReadPiece, { mode: 'newest' | 'before' | 'after' }>;

export function createReadHistory(options: { log: RoomLog }): ReadHistory {
  const { log } = options;
  const flights = createSingleFlight<Page>();

  const read = async (reader: Reader, room: string, piece: Piece): Promise<Page> => {
    const { epoch, first, head, entries, guarded, personal } = await log.read(room, reader, piece);
    const messages = entries.map((entry) => toEntry(room, epoch, entry));
    const [oldest, newest] = [messages[0]?.seq, messages.at(-1)?.seq];
    // An empty page means that there is nothing further in its direction.
    const hasMore = piece.mode === 'after' ? (newest ?? head) < head : (oldest ?? 0) > first;
    return { data: { epoch, head, first, messages, hasMore }, bytes: sizeOf(entries), guarded, personal };
  };

  return async (userId, { room, before, after, limit, epoch }) => {
    const piece = pieceOf(before, after, limit);
    const readAsUser = async () => checkEpoch(await read({ userId }, room, piece), epoch);
    // The store checks the right to see a private room for each user.
    if (isPrivateRoomId(room)) return readAsUser();
    const page = await flights.read(`${room} ${JSON.stringify(piece)}`, () => read('node', room, piece));
    if (page.personal) return readAsUser();
    // After the read: a user who may enter now was permitted all that it brought.
    if (page.guarded) await log.read(room, { userId }, { mode: 'none' });
    return checkEpoch(page, epoch);
  };
}

function checkEpoch(page: Page, epoch: string | undefined): Page {
  if (epoch !== undefined && epoch !== page.data.epoch)
    throw new MaruError('conflict', 'the log has begun a new epoch; read it again from its head');
  return page;
}

function pieceOf(before: number | undefined, after: number | undefined, limit: number): Piece {
  if (before !== undefined) return { mode: 'before', seq: before, limit };
  if (after !== undefined) return { mode: 'after', seq: after, limit };
  return { mode: 'newest', limit };
}

export const historyHandlers = (readHistory: ReadHistory): Pick<Handlers, 'history:read'> => ({
  // One page at a time, so a connection holds at most one page in memory.
  'history:read': (session, request) =>
    session.queues.run(READS_QUEUE, async () => {
      const { data, bytes } = await readHistory(session.user.id, request);
      session.charge(bytes);
      return { data };
    }),
});
