/**
 * Writes a message or a change and charges its user: takes the user's quotas, writes once, and
 * refunds the unused part.
 */
import { MaruError } from '@maru/protocol';
import type { UserQuota } from '../limits/user-quota.ts';
import type { RoomClaims, Unclaim } from './room-claims.ts';

/** The writer. Once the user is revoked, nothing more is stored. */
export interface Writer {
  readonly revoked?: boolean;
}

export interface Expense<R> {
  userId: string;
  room: string;
  bytes: number;
  /** The message may be the first of its room, which makes the room permanent. */
  mayBeFirst: boolean;
  writer: Writer;
  /**
   * Writes once. If `mayStore` is false, the quota is used up. Then it only looks for a stored
   * duplicate, which is acknowledged and costs nothing.
   */
  write: (mayStore: boolean) => Promise<R>;
  /** Tokens of the user's quota to refund if the outcome is not `stored`. */
  refund?: (result: R) => 0 | 1;
}

/**
 * Returns the result, and if the quota is used up, the milliseconds until the user may write again.
 * If the quota is leased, the write starts before the call returns, so calls keep their order.
 */
export type ChargedWrite = <R extends { outcome: string }>(
  expense: Expense<R>,
) => Promise<{ result: R; waitMs: number }>;

export function createChargedWrite(options: {
  quota: Pick<UserQuota, 'take' | 'giveBack'>;
  claims: Pick<RoomClaims, 'mayBeEmpty' | 'write'>;
}): ChargedWrite {
  const { quota, claims } = options;
  return async <R extends { outcome: string }>(expense: Expense<R>) => {
    const { userId, room, bytes, mayBeFirst, writer, write, refund } = expense;
    const taken = quota.take(userId, bytes);
    const waitMs = typeof taken === 'number' ? taken : await taken;
    const mayStore = waitMs === 0;
    let unclaim: Unclaim | undefined;
    let result: R;
    try {
      if (mayStore && mayBeFirst && claims.mayBeEmpty(room)) unclaim = await claims.write(userId, room);
      if (writer.revoked) throw new MaruError('unauthenticated', 'the token was revoked');
      result = await write(mayStore);
    } catch (error) {
      // After `unavailable`, the write may be stored.
      if (mayStore && error instanceof MaruError && error.code !== 'unavailable') {
        quota.giveBack(userId, bytes);
        unclaim?.();
      }
      throw error;
    }
    if (mayStore && result.outcome !== 'stored') {
      quota.giveBack(userId, bytes, refund?.(result) ?? 1);
      unclaim?.();
    }
    return { result, waitMs };
  };
}
