/**
 * Writes a message, or a change of one, at the expense of its user: takes the user's quotas, writes
 * once, and gives back what was not needed.
 */
import { MaruError } from '@maru/protocol';
import type { UserQuota } from '../limits/user-quota.ts';
import type { RoomClaims, Unclaim } from './room-claims.ts';

/** Who writes. Once the user is revoked, nothing more is stored. */
export interface Writer {
  readonly revoked?: boolean;
}

export interface Expense<R> {
  userId: string;
  room: string;
  bytes: number;
  /** It may be the first message of the room, which makes the room permanent. */
  mayBeFirst: boolean;
  writer: Writer;
  /**
   * Writes once. If `mayStore` is false, the quota is used up: then it only looks for what is
   * stored already, because a duplicate is acknowledged and costs nothing.
   */
  write: (mayStore: boolean) => Promise<R>;
  /** Tokens of the user's quota to give back if the outcome is not `stored`. */
  refund?: (result: R) => 0 | 1;
}

/**
 * Gives the result, and the milliseconds until the user may write again if the quota is used up.
 * If the quota is leased, the write begins before the call returns, so calls keep their order.
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
      // After `unavailable` it may be stored.
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
