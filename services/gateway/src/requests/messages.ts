/** Sending messages, for sockets and HTTP: takes a token of the user's quota, then appends once. */
import { MaruError, type RequestOf, type SendData, type UserRef } from '@maru/protocol';
import type { UserQuota } from '../limits/user-quota.ts';
import type { AppendResult, RoomLog } from '../log/room-log.ts';
import { roomQueue } from '../rooms/work-queues.ts';
import type { Handlers } from './handler.ts';

export type SendMessage = (user: UserRef, request: RequestOf<'message:send'>) => Promise<SendData>;

export function createSendMessage(options: {
  log: RoomLog;
  quota: Pick<UserQuota, 'take' | 'giveBack'>;
  /** The rate that a refusal names. */
  perSecond: number;
  onOutcome: (outcome: AppendResult['outcome']) => void;
}): SendMessage {
  const { log, quota, onOutcome } = options;
  return async (user, request) => {
    const taken = quota.take(user.id);
    const waitMs = typeof taken === 'number' ? taken : await taken;
    // Call the log even without quota: a stored duplicate is acknowledged and costs nothing.
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

export const messageHandlers = (sendMessage: SendMessage): Pick<Handlers, 'message:send'> => ({
  // An earlier join of this connection may create the room.
  'message:send': (session, request) =>
    session.queues.after(roomQueue(request.room), async () => ({ data: await sendMessage(session.user, request) })),
});
