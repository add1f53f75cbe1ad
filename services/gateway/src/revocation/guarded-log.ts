/** The room log of a node that may be paused while it waits for an answer. */
import { MaruError } from '@maru/protocol';
import type { PauseGate } from '../cluster/pause-gate.ts';
import type { RoomLog } from '../log/room-log.ts';
import type { RevokedUsers } from './revoked-users.ts';

/**
 * After a pause, answers of reads wait until the node has read the revocations. A user who was
 * revoked during that time gets no answer.
 */
export function guardReads(
  log: RoomLog,
  { gate, users }: { gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>; users: Pick<RevokedUsers, 'at'> },
): RoomLog {
  const guard = async <T>(userId: string | undefined, work: () => Promise<T>): Promise<T> => {
    const revokedAtMs = () => (userId === undefined ? undefined : users.at(userId));
    const before = revokedAtMs();
    const result = await work();
    if (gate.isOpen()) return result;
    await gate.whenOpen();
    if (revokedAtMs() !== before) throw new MaruError('unauthenticated', 'the token was revoked');
    return result;
  };
  return {
    ...log,
    read: (room, reader, piece, options) =>
      guard(reader === 'node' ? undefined : reader.userId, () => log.read(room, reader, piece, options)),
    readMessages: (room, userId, piece) => guard(userId, () => log.readMessages(room, userId, piece)),
  };
}
