/** Reads the messages of a room in pages, in their current form, for connections and HTTP. */
import type { MessagesData, RequestOf } from '@maru/protocol';
import { sizeOf, storedEntryJson } from '../log/entry-codec.ts';
import type { MessagesPiece, RoomLog } from '../log/room-log.ts';
import { type Encoded, withMessages } from '../rooms/reply.ts';
import { READS_QUEUE } from '../rooms/work-queues.ts';
import type { Handlers } from './handler.ts';

export type ReadMessages = (
  userId: string,
  request: RequestOf<'messages:read'>,
) => Promise<{
  data: Encoded<MessagesData>;
  /** The page's size in characters of JSON. */
  bytes: number;
}>;

export function createReadMessages({ log }: { log: Pick<RoomLog, 'readMessages'> }): ReadMessages {
  return async (userId, request) => {
    const { room } = request;
    const { epoch, head, entries, hasMore, hasNewer } = await log.readMessages(room, userId, pieceOf(request));
    const messages = entries.map((entry) => storedEntryJson(room, epoch, entry));
    return { data: withMessages<MessagesData>({ epoch, head, hasMore, hasNewer }, messages), bytes: sizeOf(entries) };
  };
}

function pieceOf({ before, after, around, at, thread, pinned, limit }: RequestOf<'messages:read'>): MessagesPiece {
  const chosen = { limit, thread, pinned: pinned === true };
  if (before !== undefined) return { mode: 'before', seq: before, ...chosen };
  if (after !== undefined) return { mode: 'after', seq: after, ...chosen };
  if (around !== undefined) return { mode: 'around', seq: around, ...chosen };
  if (at !== undefined) return { mode: 'at', seq: at, ...chosen };
  return { mode: 'newest', seq: 0, ...chosen };
}

export const messagePageHandlers = (readMessages: ReadMessages): Pick<Handlers, 'messages:read'> => ({
  // One page at a time, as for history.
  'messages:read': (session, request) =>
    session.queues.run(READS_QUEUE, async () => {
      const { data, bytes } = await readMessages(session.user.id, request);
      session.charge(bytes);
      return { data };
    }),
});
