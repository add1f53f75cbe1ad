/** Sending and changing messages, for sockets and HTTP. */
import { MaruError, type RequestOf, type SendData, type UserRef } from '@maru/protocol';
import type { Notify } from '../inbox/notify.ts';
import { entryBytes } from '../limits/stored-bytes.ts';
import { noWriting } from '../log/refusals.ts';
import type { AppendResult, Change, RoomLog } from '../log/room-log.ts';
import type { ChangeMessage } from '../rooms/changes.ts';
import type { ChargedWrite } from '../rooms/charged-write.ts';
import type { RoomClaims } from '../rooms/room-claims.ts';
import { roomQueue } from '../rooms/work-queues.ts';
import type { Caller, Handlers } from './handler.ts';

/** Who sends. A message that was not appended when its sender was revoked never is. */
export interface Sender {
  readonly revoked: boolean;
  readonly roles: readonly string[];
}

export type SendMessage = (user: UserRef, request: RequestOf<'message:send'>, sender: Sender) => Promise<SendData>;

export function createSendMessage(options: {
  log: Pick<RoomLog, 'append'>;
  chargedWrite: ChargedWrite;
  /** For messages with a thread or mentions. */
  changeMessage: ChangeMessage;
  notify: Pick<Notify, 'ofMessage'>;
  /** The rate that a refusal names. */
  perSecond: number;
  onOutcome: (outcome: AppendResult['outcome']) => void;
}): SendMessage {
  const { log, chargedWrite, changeMessage, notify, onOutcome } = options;
  return async (user, { room, clientMsgId, text, thread, mentions }, sender) => {
    if (thread !== undefined || mentions !== undefined) {
      const change = { type: 'send', text, thread, mentions } as const;
      // The sender may be revoked later, so the property is read when it is needed.
      return changeMessage(actorOf(user, sender), { room, clientMsgId, change });
    }
    const { result, waitMs } = await chargedWrite({
      userId: user.id,
      room,
      bytes: entryBytes(user, text),
      mayBeFirst: true,
      writer: sender,
      write: (mayStore) => log.append({ room, clientMsgId, text, userId: user.id, userName: user.name, mayStore }),
    });
    onOutcome(result.outcome);
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
        const sent = { epoch, seq, ts, n, duplicate: result.outcome === 'duplicate' };
        if (!sent.duplicate) notify.ofMessage(user, room, text, sent);
        return sent;
      }
    }
  };
}

const actorOf = (user: UserRef, sender: Sender) => ({
  user,
  roles: sender.roles,
  get revoked() {
    return sender.revoked;
  },
});

type MessageEvents = 'message:send' | 'message:edit' | 'message:delete' | 'message:react' | 'message:pin';

export function messageHandlers(parts: {
  sendMessage: SendMessage;
  changeMessage: ChangeMessage;
  claims: Pick<RoomClaims, 'mayBeEmpty'>;
}): Pick<Handlers, MessageEvents> {
  const { sendMessage, changeMessage, claims } = parts;

  /** After earlier joins and sends of this connection, as with acts. */
  const change = async (session: Caller, { room, clientMsgId }: Target, change: Change) => ({
    data: await session.queues.after(roomQueue(room), () => changeMessage(session, { room, clientMsgId, change })),
  });

  return {
    'message:send': (session, request) => {
      const queue = roomQueue(request.room);
      const send = async () => ({ data: await sendMessage(session.user, request, session) });
      // Messages that may be charged for the room go one by one, so that none overtakes the first.
      if (claims.mayBeEmpty(request.room)) return session.queues.run(queue, send);
      // An earlier join of this connection may create the room.
      return session.queues.after(queue, send);
    },
    'message:edit': (session, request) => change(session, request, editOf(request)),
    'message:delete': (session, request) => change(session, request, deletionOf(request)),
    'message:react': (session, request) => change(session, request, reactionOf(request)),
    'message:pin': (session, request) => change(session, request, pinOf(request)),
  };
}

interface Target {
  room: string;
  clientMsgId: string;
}

/** The changes that requests ask for, without the fields that the log does not store in them. */
export const editOf = ({ seq, text, mentions }: RequestOf<'message:edit'>): Change => ({
  type: 'edit',
  seq,
  text,
  mentions,
});
export const deletionOf = ({ seq, reason }: RequestOf<'message:delete'>): Change => ({ type: 'delete', seq, reason });
export const reactionOf = ({ seq, emoji, active }: RequestOf<'message:react'>): Change => ({
  type: 'react',
  seq,
  emoji,
  active,
});
export const pinOf = ({ seq, active }: RequestOf<'message:pin'>): Change => ({ type: 'pin', seq, active });
