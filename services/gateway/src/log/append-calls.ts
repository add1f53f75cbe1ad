/** The script calls that append: their scripts, arguments and replies. */
import { isPrivateRoomId, LIMITS, MaruError } from '@maru/protocol';
import { loadScript } from '@maru/redis-store';
import {
  roomErasedKey,
  roomIdsKey,
  roomLiveChannel,
  roomLogKey,
  roomMetaKey,
  roomPacesKey,
  roomRolesKey,
  roomSanctionsKey,
} from '../keys.ts';
import type { Call } from './call.ts';
import { type AnyChange, changeCallOf, changeResultOf } from './change-calls.ts';
import { encodeHead, encodeMembers, encodeText } from './entry-codec.ts';
import type { HotChangeResult } from './hot-log.ts';
import type { Act, ActRefusal, ActRequest, ActResult, AppendRequest, AppendResult } from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';

const LIBRARIES = ['./room-epoch.lua', './room-entry.lua', './room-guard.lua'].map(
  (file) => new URL(file, import.meta.url),
);
export const appendScript = loadScript(new URL('./append-entry.lua', import.meta.url), ...LIBRARIES);
export const actScript = loadScript(new URL('./append-act.lua', import.meta.url), ...LIBRARIES);

/**
 * A request, encoded once because a batch may send it again. `tail` has members of the entry. For
 * an act on a room or a member, it has members of `data`.
 */
export type Append = { request: AnyRequest; head: string; tail: string };

export type AnyRequest = AppendRequest | ActRequest | AnyChange;
export type AnyResult = AppendResult | ActResult | HotChangeResult;

export const encodeMessage = (request: AppendRequest): Append => ({
  request,
  head: encodeHead('text', request),
  tail: encodeText(request.text),
});

export const encodeAct = (request: ActRequest): Append => ({
  request,
  head: encodeHead(entryTypeOf(request.act), request),
  tail: encodeMembers(dataOf(request.act)),
});

/** Closing and opening a room are changes of its settings. */
const entryTypeOf = ({ type }: Act): string => (type === 'close' || type === 'open' ? 'room.update' : `room.${type}`);

/** `data` of the entry, without `untilTs`, which depends on the store's clock. */
function dataOf(act: Act): object {
  switch (act.type) {
    case 'close':
    case 'open':
      return { closed: act.type === 'close' };
    case 'update': {
      const { type: _, ...fields } = act;
      return fields;
    }
    case 'role':
      return { user: act.user, role: act.role };
    case 'invite':
    case 'leave':
      return { user: act.user };
    default:
      return { user: act.user, reason: act.reason };
  }
}

export function callOf(append: Append, seen: SeenPositions): Call {
  const { request, head, tail } = append;
  if ('change' in request) return changeCallOf({ request, head, tail }, seen);
  const { room } = request;
  const keys = [
    roomMetaKey(room),
    roomLogKey(room),
    roomIdsKey(room),
    roomRolesKey(room),
    roomLiveChannel(room),
    roomSanctionsKey(room),
  ];
  const common = [
    request.userId,
    request.clientMsgId ?? '',
    head,
    tail,
    ...seen.scriptArguments(room),
    request.mayStore ? '1' : '0',
    isPrivateRoomId(room) ? '1' : '0',
  ];
  if (!('act' in request))
    return { script: appendScript, args: [...keys, roomPacesKey(room), roomErasedKey(room), ...common] };
  return { script: actScript, args: [...keys, roomErasedKey(room), ...common, ...actArguments(request)] };
}

function actArguments({ act, isAdmin }: ActRequest): Array<string | number> {
  return [
    act.type,
    'user' in act ? act.user : '',
    'forMs' in act ? (act.forMs ?? 0) : 0,
    act.type === 'role' ? act.role : '',
    ('reason' in act ? act.reason : '') ?? '',
    isAdmin ? '1' : '0',
    JSON.stringify(act),
    LIMITS.roomPeopleMax,
    act.type === 'update' ? JSON.stringify(fieldsOf(act)) : '',
  ];
}

/** Fields of the room's meta hash and their values. An empty value removes the field. */
function fieldsOf({ title, topic, readOnly, slowModeS }: Extract<Act, { type: 'update' }>): string[] {
  const fields: string[] = [];
  if (title !== undefined) fields.push('title', title);
  if (topic !== undefined) fields.push('topic', topic);
  if (readOnly !== undefined) fields.push('readOnly', readOnly ? '1' : '');
  if (slowModeS !== undefined) fields.push('slowModeS', slowModeS > 0 ? String(slowModeS) : '');
  return fields;
}

/** `reply` is what the script of the request returned. */
export function resultOf({ request }: Append, reply: unknown[], seen: SeenPositions): AnyResult | Error {
  const [outcome, second, third] = reply as [string, string | number, number];
  if (outcome === 'deleted') {
    seen.forget(request.room);
    return new MaruError('not_found', 'there is no such room');
  }
  if ('change' in request) {
    const result = changeResultOf(reply);
    if ('epoch' in result) seen.note(request.room, result.epoch, result.seq);
    return result;
  }
  switch (outcome) {
    case 'stored':
    case 'duplicate': {
      const [, epoch, seq, ts, n, untilTs] = reply as [string, string, number, number, number, number?];
      seen.note(request.room, epoch, seq);
      return untilTs === undefined ? { outcome, epoch, seq, ts, n } : { outcome, epoch, seq, ts, n, untilTs };
    }
    case 'slow':
      return { outcome, retryAfterMs: Number(second) };
    case 'refused':
    case 'known':
      return { outcome };
    default:
      return 'act' in request ? actRefusalOf(outcome, second) : messageRefusalOf(outcome, second, third);
  }
}

function messageRefusalOf(outcome: string, why: unknown, untilTs: number): AppendResult | Error {
  if (outcome === 'conflict') return { outcome };
  if (outcome === 'forbidden')
    return { outcome, why: why as Extract<AppendResult, { outcome: 'forbidden' }>['why'], untilTs };
  return new MaruError('not_found', 'there is no such room');
}

const actRefusalOf = (outcome: string, why: unknown): ActRefusal =>
  (outcome === 'not_found' ? { outcome, what: why } : { outcome, why }) as ActRefusal;
