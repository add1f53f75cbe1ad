/**
 * Reads a room's log in pages, for connections and HTTP. Users who ask for the same page of a
 * public room at the same time share a read.
 */
import { type HistoryData, isPrivateRoomId, MaruError, type RequestOf } from '@maru/protocol';
import { sizeOf, storedEntryJson } from '../log/entry-codec.ts';
import { oldestOf, type Reader, type ReadPiece, type RoomLog } from '../log/room-log.ts';
import { createSingleFlight } from '../log/single-flight.ts';
import { type Encoded, withMessages } from '../rooms/reply.ts';
import { READS_QUEUE } from '../rooms/work-queues.ts';
import type { Handlers } from './handler.ts';

interface Page {
  epoch: string;
  data: Encoded<HistoryData>;
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
    const result = await log.read(room, reader, piece);
    const { epoch, head, entries, guarded, personal } = result;
    const first = oldestOf(result);
    const [oldest, newest] = [entries[0]?.seq, entries.at(-1)?.seq];
    // An empty page means that no entries follow in its direction.
    const hasMore = piece.mode === 'after' ? (newest ?? head) < head : (oldest ?? 0) > first;
    const messages = entries.map((entry) => storedEntryJson(room, epoch, entry));
    const data = withMessages<HistoryData>({ epoch, head, first, hasMore }, messages);
    return { epoch, data, bytes: sizeOf(entries), guarded, personal };
  };

  return async (userId, { room, before, after, limit, epoch }) => {
    const piece = pieceOf(before, after, limit);
    const readAsUser = async () => checkEpoch(await read({ userId }, room, piece), epoch);
    // The store checks the right to see a private room for each user.
    if (isPrivateRoomId(room)) return readAsUser();
    const page = await flights.read(`${room} ${JSON.stringify(piece)}`, () => read('node', room, piece));
    if (page.personal) return readAsUser();
    // Check after the read: a user who may enter now may see everything that the page contains.
    if (page.guarded) await log.read(room, { userId }, { mode: 'none' });
    return checkEpoch(page, epoch);
  };
}

function checkEpoch(page: Page, epoch: string | undefined): Page {
  if (epoch !== undefined && epoch !== page.epoch)
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
