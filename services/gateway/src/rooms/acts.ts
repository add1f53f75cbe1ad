/**
 * Acts on rooms and members: roles, kicks, bans, mutes, invitations, settings. Charges the user's
 * quotas, lets the log check and store the act, and records it in the audit.
 */
import { isDirectRoomId, isPrivateRoomId, MaruError, type SendData, type UserRef } from '@maru/protocol';
import type { ActAudit } from '../audit/audit.ts';
import { actBytes } from '../limits/stored-bytes.ts';
import type { UserQuota } from '../limits/user-quota.ts';
import type { Act, ActRefusal, ActResult, RoomLog } from '../log/room-log.ts';

export interface Actor {
  user: UserRef;
  roles: readonly string[];
  /** Set for a session: if its user is revoked before an act is stored, the act is never stored. */
  readonly revoked?: boolean;
}

export interface ActOrder {
  room: string;
  clientMsgId?: string | undefined;
  act: Act;
}

/** A client repeats an act without an answer for less than this. */
const REPEATED_WITHIN_MS = 60_000;

type Stored = Extract<ActResult, { outcome: 'stored' | 'duplicate' }>;

/** Undefined if the act changed nothing, because the invited user is already a member. */
export type CarryOut = (actor: Actor, order: ActOrder) => Promise<SendData | undefined>;

export const isAdmin = ({ roles }: Actor): boolean => roles.includes('admin');

export function createCarryOut(options: {
  log: Pick<RoomLog, 'act' | 'read'>;
  quota: Pick<UserQuota, 'take' | 'giveBack'>;
  audit: Pick<ActAudit, 'recordOnce'>;
  /** The rate that a refusal names. */
  perSecond: number;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}): CarryOut {
  const { log, quota, audit, storeNow } = options;
  const record = (by: string, room: string, act: Act, { epoch, seq, untilTs }: Stored): void =>
    audit.recordOnce({ by, room, seq, ...auditOf(act, untilTs) }, `${room} ${epoch} ${seq}`);
  return async (actor, { room, clientMsgId, act }) => {
    const { user } = actor;
    checkVisibility(room, act);
    if (isDirectRoomId(room) && !isOperation(act)) {
      // Hides the room from users who may not see it.
      await log.read(room, { userId: user.id }, { mode: 'none' });
      throw new MaruError('forbidden', 'a direct room has no moderators and keeps both members');
    }
    const bytes = actBytes(user, act);
    const waitMs = await quota.take(user.id, bytes);
    if (actor.revoked) {
      if (waitMs === 0) quota.giveBack(user.id, bytes);
      throw new MaruError('unauthenticated', 'the token was revoked');
    }
    const request = { room, clientMsgId, act, userId: user.id, userName: user.name, isAdmin: isAdmin(actor) };
    const result = await log.act({ ...request, mayStore: waitMs === 0 });
    // A refused act has cost the store work, so only its bytes are refunded.
    if (waitMs === 0 && result.outcome !== 'stored') quota.giveBack(user.id, bytes, isRepeated(result) ? 1 : 0);
    switch (result.outcome) {
      case 'stored':
        record(user.id, room, act, result);
        return sentOf(result, false);
      case 'duplicate':
        // The process that stored the act may have ended before it recorded it. Old acts are not
        // recorded again, because a user may repeat them at any time.
        if (waitMs === 0 && storeNow() - result.ts < REPEATED_WITHIN_MS) record(user.id, room, act, result);
        return sentOf(result, true);
      case 'known':
        return undefined;
      case 'refused':
        throw new MaruError('rate_limited', `at most ${options.perSecond} entries a second`, { retryAfterMs: waitMs });
      default:
        throw refusalOf(result);
    }
  };
}

const isRepeated = ({ outcome }: ActResult): boolean => outcome === 'duplicate' || outcome === 'known';

/** An act of an administrator, possible in every room. */
const isOperation = ({ type }: Act): boolean => type === 'close' || type === 'open';

function checkVisibility(room: string, { type }: Act): void {
  if (isPrivateRoomId(room)) return;
  if (type === 'invite')
    throw new MaruError('invalid', 'room: a public room needs no invitations; every user may join it');
  if (type === 'leave') throw new MaruError('invalid', 'room: a public room has no membership; send room:leave');
}

const sentOf = ({ epoch, seq, ts, n }: Omit<SendData, 'duplicate'>, duplicate: boolean): SendData => ({
  epoch,
  seq,
  ts,
  n,
  duplicate,
});

function auditOf(act: Act, untilTs: number) {
  return {
    action: `room.${act.type}`,
    ...('user' in act ? { user: act.user } : {}),
    ...('role' in act ? { role: act.role } : {}),
    ...('reason' in act && act.reason !== undefined ? { reason: act.reason } : {}),
    ...(untilTs > 0 ? { untilTs } : {}),
  };
}

const REFUSALS = {
  conflict: {
    id: 'this clientMsgId was used for another request',
    last_owner: 'a room keeps an owner: name another one first, or delete the room',
    banned: 'the user is banned from this room; lift the ban first',
    full: 'the room has the maximum of members, or of bans and mutes',
    not_banned: 'the user is not banned',
    not_muted: 'the user is not muted',
    importing: 'the room is being imported: it opens when the import ends',
  },
  forbidden: {
    closed: 'an administrator has closed this room',
    banned: 'you are banned from this room',
    muted: 'you are muted in this room',
    role: 'your role in this room does not allow this',
    rank: 'only a higher role acts on a lower one',
    self: 'this cannot be done to oneself',
  },
  not_found: { room: 'there is no such room', user: 'there is no such member' },
} as const;

function refusalOf(refusal: ActRefusal): MaruError {
  const messages: Record<string, string> = REFUSALS[refusal.outcome];
  const why = refusal.outcome === 'not_found' ? refusal.what : refusal.why;
  return new MaruError(refusal.outcome, messages[why] ?? 'this is not possible');
}
