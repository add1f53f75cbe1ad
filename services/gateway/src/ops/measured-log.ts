/** A room log that measures how long its calls take. It changes nothing about them. */
import { MaruError } from '@maru/protocol';
import type { RoomLog } from '../log/room-log.ts';

/** `look`: the state of a room. `page`: its state and entries. */
export type StoreCall = 'append' | 'look' | 'page';

export function measureLog(
  log: RoomLog,
  options: {
    /** `outcome` is `ok`, or the code of the error; `unavailable` says that the store did not do it in time. */
    onCall: (call: StoreCall, outcome: string, seconds: number) => void;
    /** Milliseconds of a clock that never steps. */
    now: () => number;
  },
): RoomLog {
  const { onCall, now } = options;
  const measure = async <T>(call: StoreCall, work: Promise<T>): Promise<T> => {
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
    append: (request) => measure('append', log.append(request)),
    read: (room, reader, piece, readOptions) =>
      measure(piece.mode === 'none' ? 'look' : 'page', log.read(room, reader, piece, readOptions)),
  };
}
