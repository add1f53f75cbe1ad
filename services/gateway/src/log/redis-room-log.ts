/** The room log in Redis: one script call for an append, one for a read. Measures both. */
import { MaruError } from '@maru/protocol';
import { RedisAppender, type RedisAppendOptions, type Retention } from './redis-append.ts';
import { RedisReader, type RedisReadOptions } from './redis-read.ts';
import type { RoomLog } from './room-log.ts';

export type { Retention };

/** `look`: a read of a room's state. `page`: a read of its state and entries. */
export type StoreCall = 'append' | 'look' | 'page';

export type RedisRoomLogOptions = RedisAppendOptions &
  Pick<RedisReadOptions, 'readStore'> & {
    /**
     * `outcome` is `ok` or the error's code. `unavailable`: the store did not answer in time or
     * refused.
     */
    onCall?: (call: StoreCall, outcome: string, seconds: number) => void;
  };

export function createRedisRoomLog(options: RedisRoomLogOptions): RoomLog {
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

  return {
    append: (request) => measure('append', appender.append(request)),
    act: (request) => measure('append', appender.act(request)),
    change: (request) => measure('append', appender.change(request)),
    readMessages: (room, userId, piece) => measure('page', reader.readMessages(room, userId, piece)),
    read: (room, forWhom, piece, readOptions) =>
      measure(piece.mode === 'none' ? 'look' : 'page', reader.read(room, forWhom, piece, readOptions?.create === true)),
  };
}
