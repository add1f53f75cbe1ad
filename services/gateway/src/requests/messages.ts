/** Sending messages, for sockets and HTTP: charges the user's quotas, then appends once. */
import { MaruError, type RequestOf, type SendData, type UserRef } from '@maru/protocol';
import { entryBytes } from '../limits/stored-bytes.ts';
import type { UserQuota } from '../limits/user-quota.ts';
import { noWriting } from '../log/refusals.ts';
import type { AppendResult, RoomLog } from '../log/room-log.ts';
import type { RoomClaims, Unclaim } from '../rooms/room-claims.ts';
import { roomQueue } from '../rooms/work-queues.ts';
import type { Handlers } from './handler.ts';

/** Who sends. A message that was not appended when its sender was revoked never is. */
export interface Sender {
  readonly revoked: boolean;
}

export type SendMessage = (user: UserRef, request: RequestOf<'message:send'>, sender: Sender) => Promise<SendData>;

export function createSendMessage(options: {
  log: RoomLog;
  quota: Pick<UserQuota, 'take' | 'giveBack'>;
  claims: RoomClaims;
  /** The rate that a refusal names. */
  perSecond: number;
  onOutcome: (outcome: AppendResult['outcome']) => void;
}): SendMessage {
  const { log, quota, claims, onOutcome } = options;
  return async (user, request, sender) => {
    const bytes = entryBytes(user, request.text);
    const taken = quota.take(user.id, bytes);
    const waitMs = typeof taken === 'number' ? taken : await taken;
    // Call the log even without quota: a stored duplicate is acknowledged and costs nothing.
    const mayStore = waitMs === 0;
    let unclaim: Unclaim | undefined;
    let result: AppendResult;
    try {
      if (mayStore && claims.mayBeEmpty(request.room)) unclaim = await claims.write(user.id, request.room);
      if (sender.revoked) throw new MaruError('unauthenticated', 'the token was revoked');
      result = await log.append({ ...request, userId: user.id, userName: user.name, mayStore });
    } catch (error) {
      // After `unavailable` the message may be stored.
      if (mayStore && error instanceof MaruError && error.code !== 'unavailable') {
        quota.giveBack(user.id, bytes);
        unclaim?.();
      }
      throw error;
    }
    onOutcome(result.outcome);
    if (mayStore && result.outcome !== 'stored') {
      quota.giveBack(user.id, bytes);
      unclaim?.();
    }
    switch (result.outcome) {
      case 'conflict':
        throw new MaruError('conflict', 'this clientMsgId was used for another text');
      case 'forbidden':
        throw noWriting(result.why, result.untilTs);
      case 'slow':
        throw new MaruError('rate_limited', 'this room is in slow mode', { retryAfterMs: result.retryAfterMs });
      case 'refused':
        throw new MaruError('rate_limited', `at most ${options.perSecond} messages a second, and bytes an hour`, {
          retryAfterMs: waitMs,
        });
      default: {
        const { epoch, seq, ts, n } = result;
        return { epoch, seq, ts, n, duplicate: result.outcome === 'duplicate' };
      }
    }
  };
}

export function messageHandlers(
  sendMessage: SendMessage,
  claims: Pick<RoomClaims, 'mayBeEmpty'>,
): Pick<Handlers, 'message:send'> {
  return {
    'message:send': (session, request) => {
      const queue = roomQueue(request.room);
      const send = async () => ({ data: await sendMessage(session.user, request, session) });
      // Messages that may be charged for the room go one by one, so that none overtakes the first.
      if (claims.mayBeEmpty(request.room)) return session.queues.run(queue, send);
      // An earlier join of this connection may create the room.
      return session.queues.after(queue, send);
    },
  };
}
