/** The room log in Redis: one script call for an append, one for a read. Measures both. */
import { MaruError } from '@maru/protocol';
import type { HotLog, HotMessages } from './hot-log.ts';
import { noSuchMessage } from './read-replies.ts';
import { RedisAppender, type RedisAppendOptions, type Retention } from './redis-append.ts';
import { RedisReader, type RedisReadOptions } from './redis-read.ts';
import type { ChangeResult } from './room-log.ts';

export type { Retention };

/** `look`: a read of a room's state. `page`: a read of its state and entries. */
export type StoreCall = 'append' | 'look' | 'page';

export type RedisRoomLogOptions = RedisAppendOptions &
  Pick<RedisReadOptions, 'readStore'> & {
    /**
     * `outcome` is `ok` or the error code. `unavailable`: the store did not answer in time, or
     * refused.
     */
    onCall?: (call: StoreCall, outcome: string, seconds: number) => void;
  };

export function createRedisRoomLog(options: RedisRoomLogOptions): HotLog {
  const { readStore, seen, deadlineMs, now, onCall } = options;
  const appender = new RedisAppender(options);
  const reader = new RedisReader({
    readStore,
    seen,
    deadlineMs,
    emptyRoomTtlMs: options.retention.emptyRoomTtlMs,
  });

  const measure = async <T>(call: StoreCall, work: Promise<T>): Promise<T> => {
    if (onCall === undefined) return work;
    const startedAt = now();
    let outcome = 'internal';
    try {
      const result = await work;
      outcome = 'ok';
      return result;
    } catch (error) {
      if (error instanceof MaruError) outcome = error.code;
      throw error;
    } finally {
      onCall(call, outcome, (now() - startedAt) / 1_000);
    }
  };

  const readHot: HotLog['readHot'] = (room, forWhom, piece, readOptions) =>
    measure(piece.mode === 'none' ? 'look' : 'page', reader.read(room, forWhom, piece, readOptions));

  return {
    append: (request) => measure('append', appender.append(request)),
    act: (request) => measure('append', appender.act(request)),
    // Without facts, an archived message is one that is not kept.
    change: (request) => measure('append', appender.change(request) as Promise<ChangeResult>),
    changeArchived: (request, facts) => measure('append', appender.change({ ...request, facts })),
    readMessages: (room, userId, piece) => measure('page', withoutArchive(reader.readMessages(room, userId, piece))),
    readMessagesHot: (room, userId, piece, late) => measure('page', reader.readMessages(room, userId, piece, late)),
    readLate: (room, seq, after) => measure('look', reader.readLate(room, seq, after)),
    read: async (room, forWhom, piece, readOptions) => {
      const { archivedFrom: _, ...read } = await readHot(room, forWhom, piece, readOptions);
      return read;
    },
    readHot,
  };
}

async function withoutArchive(reading: Promise<HotMessages>): Promise<HotMessages> {
  const messages = await reading;
  if (messages.isArchived) throw noSuchMessage();
  return messages;
}
