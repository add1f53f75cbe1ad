/** Sending and changing messages, for sockets and HTTP. */
import { MaruError, type RequestOf, type SendData, type UserRef } from '@maru/protocol';
import type { Notify } from '../inbox/notify.ts';
import { entryBytes } from '../limits/stored-bytes.ts';
import { noWriting } from '../log/refusals.ts';
import type { AppendResult, Change, RoomLog } from '../log/room-log.ts';
import type { ChangeMessage } from '../rooms/changes.ts';
import type { ChargedWrite } from '../rooms/charged-write.ts';
import type { RoomClaims } from '../rooms/room-claims.ts';
import { roomQueue, type WorkQueues } from '../rooms/work-queues.ts';
import type { Caller, Handlers } from './handler.ts';

/** The sender. If the sender is revoked before the append, the message is never appended. */
export interface Sender {
  readonly revoked: boolean;
  readonly roles: readonly string[];
}

/** False if the message is certainly in the hot log. */
export type MayBeArchived = (room: string, seq: number) => boolean;

export type SendMessage = (user: UserRef, request: RequestOf<'message:send'>, sender: Sender) => Promise<SendData>;

export function createSendMessage(options: {
  log: Pick<RoomLog, 'append'>;
  chargedWrite: ChargedWrite;
  /** For messages with a thread or mentions. */
  changeMessage: ChangeMessage;
  notify: Pick<Notify, 'ofMessage'>;
  /** The rate that an error message names. */
  perSecond: number;
  onOutcome: (outcome: AppendResult['outcome']) => void;
}): SendMessage {
  const { log, chargedWrite, changeMessage, notify, onOutcome } = options;
  return async (user, { room, clientMsgId, text, thread, mentions }, sender) => {
    if (thread !== undefined || mentions !== undefined) {
      const change = { type: 'send', text, thread, mentions } as const;
      // The sender may be revoked later, so read the property when it is needed.
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
  mayBeArchived: MayBeArchived;
}): Pick<Handlers, MessageEvents> {
  const { sendMessage, changeMessage, claims, mayBeArchived } = parts;

  /**
   * Runs after earlier joins and sends of this connection, like acts. Facts about an archived
   * message are read first. Later sends wait for that, or they would overtake it.
   */
  const inOrder = <T>({ queues }: Caller, room: string, seq: number | undefined, work: () => Promise<T>) =>
    seq !== undefined && mayBeArchived(room, seq)
      ? runApart(queues, roomQueue(room), work)
      : queues.after(roomQueue(room), work);

  const change = async (session: Caller, { room, clientMsgId }: Target, change: Exclude<Change, { type: 'send' }>) => ({
    data: await inOrder(session, room, change.seq, () => changeMessage(session, { room, clientMsgId, change })),
  });

  return {
    'message:send': (session, request) => {
      const queue = roomQueue(request.room);
      const send = async () => ({ data: await sendMessage(session.user, request, session) });
      // If messages may be charged for the room, send them one by one, so that none overtakes the
      // first.
      if (claims.mayBeEmpty(request.room)) return session.queues.run(queue, send);
      // An earlier join of this connection may create the room.
      return inOrder(session, request.room, request.thread, send);
    },
    'message:edit': (session, request) => change(session, request, editOf(request)),
    'message:delete': (session, request) => change(session, request, deletionOf(request)),
    'message:react': (session, request) => change(session, request, reactionOf(request)),
    'message:pin': (session, request) => change(session, request, pinOf(request)),
  };
}

/** Like `run`, but later work in the queue does not fail if this work fails. */
async function runApart<T>(queues: WorkQueues, queue: string, work: () => Promise<T>): Promise<T> {
  const [settled] = await queues.run(queue, () => Promise.allSettled([work()]));
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

interface Target {
  room: string;
  clientMsgId: string;
}

type ChangeOf<T extends Change['type']> = Extract<Change, { type: T }>;

/** Converts requests to changes, without fields that the log does not store. */
export const editOf = ({ seq, text, mentions }: RequestOf<'message:edit'>): ChangeOf<'edit'> => ({
  type: 'edit',
  seq,
  text,
  mentions,
});
export const deletionOf = ({ seq, reason }: RequestOf<'message:delete'>): ChangeOf<'delete'> => ({
  type: 'delete',
  seq,
  reason,
});
export const reactionOf = ({ seq, emoji, active }: RequestOf<'message:react'>): ChangeOf<'react'> => ({
  type: 'react',
  seq,
  emoji,
  active,
});
export const pinOf = ({ seq, active }: RequestOf<'message:pin'>): ChangeOf<'pin'> => ({ type: 'pin', seq, active });
