/**
 * Changes of messages: replies, mentions, edits, deletions, reactions, pins. Charges the user's
 * quotas, lets the log check and store the change, and notifies affected users.
 */
import { MaruError, type SendData } from '@maru/protocol';
import type { Audit } from '../audit/audit.ts';
import type { Notify } from '../inbox/notify.ts';
import { changeBytes } from '../limits/stored-bytes.ts';
import { noWriting } from '../log/refusals.ts';
import type { Change, ChangeRefusal, ChangeResult, RoomLog } from '../log/room-log.ts';
import { type Actor, isAdmin } from './acts.ts';
import type { ChargedWrite } from './charged-write.ts';

export interface ChangeOrder {
  room: string;
  clientMsgId: string;
  change: Change;
}

/** Rejects with MaruError if the change is refused. */
export type ChangeMessage = (actor: Actor, order: ChangeOrder) => Promise<SendData>;

export interface ChangeOptions {
  log: Pick<RoomLog, 'change'>;
  chargedWrite: ChargedWrite;
  audit: Audit;
  notify: Notify;
  /** The rate that an error message names. */
  perSecond: number;
  onOutcome: (type: Change['type'], outcome: ChangeResult['outcome']) => void;
}

export function createChangeMessage(options: ChangeOptions): ChangeMessage {
  const { log, chargedWrite, audit, notify, onOutcome } = options;
  return async (actor, { room, clientMsgId, change }) => {
    const { user } = actor;
    const request = { room, clientMsgId, change, userId: user.id, userName: user.name, isAdmin: isAdmin(actor) };
    const { result, waitMs } = await chargedWrite({
      userId: user.id,
      room,
      bytes: changeBytes(user, change),
      mayBeFirst: change.type === 'send',
      writer: actor,
      write: (mayStore) => log.change({ ...request, mayStore }),
      refund: ({ outcome }) => refundOf(change, outcome),
    });
    onOutcome(change.type, result.outcome);
    switch (result.outcome) {
      case 'stored': {
        const sent = sentOf(result, false);
        if (change.type === 'delete' && result.author !== undefined && result.author !== user.id)
          audit.record(deletionOf(user.id, room, result.author, change));
        if ('text' in change) notify.ofChange(user, room, change, sent, result.mentioned);
        return sent;
      }
      case 'duplicate':
      case 'unchanged':
        return sentOf(result, true);
      case 'refused':
        throw new MaruError('rate_limited', `at most ${options.perSecond} entries a second, and bytes an hour`, {
          retryAfterMs: waitMs,
        });
      default:
        throw refusalOf(result, change.type);
    }
  };
}

/**
 * Like other messages. But a refused act has cost the store work, so only its bytes are refunded.
 */
const refundOf = (change: Change, outcome: ChangeResult['outcome']): 0 | 1 =>
  change.type === 'send' || outcome === 'duplicate' || outcome === 'unchanged' ? 1 : 0;

const sentOf = ({ epoch, seq, ts, n }: Omit<SendData, 'duplicate'>, duplicate: boolean): SendData => ({
  epoch,
  seq,
  ts,
  n,
  duplicate,
});

/** The deletion of another user's message. `seq` belongs to the message. */
const deletionOf = (by: string, room: string, user: string, { seq, reason }: Extract<Change, { type: 'delete' }>) => ({
  action: 'message.delete',
  by,
  user,
  room,
  seq,
  ...(reason === undefined ? {} : { reason }),
});

const CONFLICTS = {
  id: 'this clientMsgId was used for another request',
  edits: 'the message was edited too often',
  emoji: 'the message has the maximum of different reactions',
  pins: 'the room has the maximum of pinned messages; unpin one first',
} as const;

/** Error texts: who may make a change. For messages and edits: who may mention the room. */
const RIGHTS = {
  send: 'only moderators and owners mention @room',
  edit: 'only the author edits a message, and only moderators and owners mention @room',
  delete: 'only its author and moderators delete a message',
  react: 'your role in this room does not allow this',
  pin: 'only moderators and owners pin messages',
} as const;

function refusalOf(refusal: ChangeRefusal, type: Change['type']): MaruError {
  switch (refusal.outcome) {
    case 'conflict':
      return new MaruError('conflict', CONFLICTS[refusal.why]);
    case 'not_found':
      return new MaruError('not_found', `there is no such ${refusal.what}`);
    case 'invalid':
      return new MaruError('invalid', 'thread: the message is a reply itself; name the first message of its thread');
    case 'slow':
      return new MaruError('rate_limited', 'this room is in slow mode', { retryAfterMs: refusal.retryAfterMs });
    case 'forbidden':
      if (refusal.why === 'author' || refusal.why === 'role') return new MaruError('forbidden', RIGHTS[type]);
      return noWriting(refusal.why, refusal.untilTs);
  }
}
