/** Reads a room for a member that enters it. A public room that does not exist is created. */
import { MaruError } from '@maru/protocol';
import type { Reader, ReadPiece, ReadResult, RoomLog } from '../log/room-log.ts';

/** `creator` is charged for a room that does not exist. If undefined, no room is created. */
export type ReadOrCreate = (
  room: string,
  reader: Reader,
  piece: ReadPiece,
  creator: string | undefined,
) => Promise<ReadResult>;

export function createReadOrCreate(options: {
  log: RoomLog;
  beforeCreate: (userId: string) => Promise<void>;
}): ReadOrCreate {
  const { log, beforeCreate } = options;
  return async (room, reader, piece, creator) => {
    try {
      return await log.read(room, reader, piece);
    } catch (error) {
      if (creator === undefined || !(error instanceof MaruError) || error.code !== 'not_found') throw error;
    }
    await beforeCreate(creator);
    return log.read(room, reader, piece, { create: true });
  };
}
