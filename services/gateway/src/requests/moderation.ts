/** Requests about rights and sanctions in a room. */
import { type ActData, LIMITS, type SendData } from '@maru/protocol';
import { MEMBER_ANSWER_BYTES } from '../limits/answer-cost.ts';
import type { Act } from '../log/room-log.ts';
import type { CarryOut } from '../rooms/acts.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import type { Moderation } from '../rooms/moderation.ts';
import { roomQueue } from '../rooms/work-queues.ts';
import type { Caller, Handlers } from './handler.ts';

type ModerationEvents =
  | 'room:update'
  | 'room:quit'
  | 'room:delete'
  | 'room:role'
  | 'room:invite'
  | 'room:kick'
  | 'room:ban'
  | 'room:unban'
  | 'room:mute'
  | 'room:unmute'
  | 'room:bans'
  | 'message:report'
  | 'room:reports'
  | 'room:report-close';

interface Target {
  room: string;
  clientMsgId?: string | undefined;
}

export function moderationHandlers(parts: {
  carryOut: CarryOut;
  directory: Pick<RoomDirectory, 'delete'>;
  moderation: Moderation;
}): Pick<Handlers, ModerationEvents> {
  const { carryOut, directory, moderation } = parts;

  /** Runs after earlier joins of this connection, like messages. */
  const carry = (session: Caller, { room, clientMsgId }: Target, act: Act) =>
    session.queues.after(roomQueue(room), () => carryOut(session, { room, clientMsgId, act }));

  const sanction =
    (type: 'kick' | 'ban' | 'mute') =>
    async (
      session: Caller,
      request: Target & { user: string; forMs?: number | undefined; reason?: string | undefined },
    ) =>
      seqOf(
        await carry(session, request, {
          type,
          user: request.user,
          forMs: request.forMs ?? (type === 'kick' ? LIMITS.kickMsDefault : undefined),
          reason: request.reason,
        }),
      );

  const lift =
    (type: 'unban' | 'unmute') =>
    async (session: Caller, request: Target & { user: string; reason?: string | undefined }) =>
      seqOf(await carry(session, request, { type, user: request.user, reason: request.reason }));

  return {
    'room:update': async (session, { room, clientMsgId, ...fields }) => ({
      data: await carry(session, { room, clientMsgId }, { type: 'update', ...fields }),
    }),
    'room:quit': async (session, request) => ({
      data: await carry(session, request, { type: 'leave', user: session.user.id }),
    }),
    'room:delete': async (session, { room }) => {
      await directory.delete(session, room);
      return { data: {} };
    },
    'room:role': async (session, request) =>
      seqOf(await carry(session, request, { type: 'role', user: request.user, role: request.role })),
    'room:invite': async (session, request) => {
      await carry(session, request, { type: 'invite', user: request.user });
      return { data: {} };
    },
    'room:kick': sanction('kick'),
    'room:ban': sanction('ban'),
    'room:mute': sanction('mute'),
    'room:unban': lift('unban'),
    'room:unmute': lift('unmute'),
    'room:bans': async (session, request) => {
      const { data, read } = await moderation.bans(session, request);
      session.charge(read * MEMBER_ANSWER_BYTES);
      return { data };
    },
    'message:report': async (session, request) => {
      await moderation.report(session, request);
      return { data: {} };
    },
    'room:reports': async (session, request) => {
      const { data, read } = await moderation.reports(session, request);
      session.charge(read * MEMBER_ANSWER_BYTES);
      return { data };
    },
    'room:report-close': async (session, request) => {
      await moderation.closeReport(session, request);
      return { data: {} };
    },
  };
}

const seqOf = (sent: SendData | undefined): { data: ActData } => ({ data: { seq: sent?.seq ?? 0 } });
