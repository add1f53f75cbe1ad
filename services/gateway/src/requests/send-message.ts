/** Sending a message, whichever way it came: the user's quota, then one append. */
import { MaruError, type RequestOf, type SendData, type UserRef } from '@maru/protocol';
import type { UserQuota } from '../limits/user-quota.ts';
import type { RoomLog } from '../log/room-log.ts';

export type SendMessage = (user: UserRef, request: RequestOf<'message:send'>) => Promise<SendData>;

export function createSendMessage(options: {
  log: RoomLog;
  quota: UserQuota;
  /** Told to one who sends faster. */
  perSecond: number;
  onOutcome: (outcome: 'stored' | 'duplicate' | 'conflict' | 'refused') => void;
}): SendMessage {
  const { log, quota, onOutcome } = options;
  return async (user, request) => {
    const taken = quota.take(user.id);
    const waitMs = typeof taken === 'number' ? taken : await taken;
    // Even without quota the log is asked: a message that it has already is acknowledged again, at no cost.
    const mayStore = waitMs === 0;
    const result = await log.append({ ...request, userId: user.id, userName: user.name, mayStore });
    onOutcome(result.outcome);
    if (mayStore && result.outcome !== 'stored') quota.giveBack(user.id);
    switch (result.outcome) {
      case 'conflict':
        throw new MaruError('conflict', 'this clientMsgId was used for another text');
      case 'refused':
        throw new MaruError('rate_limited', `at most ${options.perSecond} messages a second`, { retryAfterMs: waitMs });
      default: {
        const { epoch, seq, ts } = result;
        return { epoch, seq, ts, duplicate: result.outcome === 'duplicate' };
      }
    }
  };
}
