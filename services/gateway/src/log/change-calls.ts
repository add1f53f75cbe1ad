/** The script call that stores a change of a message: its arguments and its replies. */
import { isDirectRoomId, isPrivateRoomId, LIMITS, MaruError } from '@maru/protocol';
import { loadScript } from '@maru/redis-store';
import {
  roomErasedKey,
  roomIdsKey,
  roomLateKey,
  roomLiveChannel,
  roomLogKey,
  roomMentionsKey,
  roomMetaKey,
  roomOverlayKey,
  roomPacesKey,
  roomPinsKey,
  roomReactionsPrefix,
  roomRepliesPrefix,
  roomRolesKey,
  roomSanctionsKey,
} from '../keys.ts';
import type { Call } from './call.ts';
import { encodeHead, encodeMembers } from './entry-codec.ts';
import type { HotChangeResult, MessageFacts } from './hot-log.ts';
import type { Change, ChangeRequest } from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';

export const changeScript = loadScript(
  new URL('./append-change.lua', import.meta.url),
  ...['./room-epoch.lua', './room-entry.lua', './room-guard.lua', './room-overlay.lua', './change-effects.lua'].map(
    (file) => new URL(file, import.meta.url),
  ),
);

export type AnyChange = ChangeRequest & { facts?: MessageFacts | 'ask' };

export const encodeChange = (request: AnyChange) => ({
  request,
  head: encodeHead(request.change.type === 'send' ? 'text' : `message.${request.change.type}`, request),
  tail: tailOf(request.change),
});

/** Omits undefined members. A message has `text`, `thread` and `mentions`, in this order. */
function tailOf(change: Change): string {
  const { type, ...members } = change;
  if (change.type !== 'send') return `"data":${JSON.stringify(members)}`;
  const { text, thread, mentions } = change;
  return encodeMembers({ text, thread, mentions });
}

const MAX = {
  send: 0,
  edit: LIMITS.editsPerMessageMax,
  delete: 0,
  react: LIMITS.emojiPerMessageMax,
  pin: LIMITS.pinsPerRoomMax,
} as const;

export function changeCallOf(
  { request, head, tail }: { request: AnyChange; head: string; tail: string },
  seen: SeenPositions,
): Call {
  const { room, change, facts } = request;
  const keys = [
    roomMetaKey(room),
    roomLogKey(room),
    roomIdsKey(room),
    roomRolesKey(room),
    roomLiveChannel(room),
    roomSanctionsKey(room),
    roomPacesKey(room),
    roomErasedKey(room),
    roomOverlayKey(room),
    roomReactionsPrefix(room),
    roomRepliesPrefix(room),
    roomPinsKey(room),
    roomMentionsKey(room),
    roomLateKey(room),
  ];
  const args = [
    request.userId,
    request.clientMsgId,
    head,
    tail,
    ...seen.scriptArguments(room),
    request.mayStore ? '1' : '0',
    isPrivateRoomId(room) ? '1' : '0',
    change.type,
    change.type === 'send' ? (change.thread ?? 0) : change.seq,
    JSON.stringify(('mentions' in change ? change.mentions : undefined) ?? []),
    change.type === 'react' ? change.emoji : '',
    'active' in change && change.active ? '1' : '0',
    request.isAdmin ? '1' : '0',
    isDirectRoomId(room) ? '1' : '0',
    MAX[change.type],
    LIMITS.reactionUsersShown,
    request.isErasure ? '1' : '0',
    factsOf(facts),
  ];
  return { script: changeScript, args: [...keys, ...args] };
}

const factsOf = (facts: AnyChange['facts']): string =>
  typeof facts === 'object' ? JSON.stringify(facts) : (facts ?? '');

/** `reply` is what the script returned, except for `deleted`. */
export function changeResultOf(reply: unknown[]): HotChangeResult | Error {
  const [outcome, second, third] = reply as [string, string | number, number];
  switch (outcome) {
    case 'stored':
    case 'duplicate':
    case 'unchanged': {
      const [, epoch, seq, ts, n, ...more] = reply as [string, string, number, number, number, string[], string];
      if (outcome !== 'stored') return { outcome, epoch, seq, ts, n };
      const [mentioned, author] = more;
      return { outcome, epoch, seq, ts, n, mentioned, author: author === '' ? undefined : author };
    }
    case 'slow':
      return { outcome, retryAfterMs: Number(second) };
    case 'refused':
    case 'archived':
    case 'retry':
    case 'invalid':
      return { outcome };
    case 'forbidden':
      return { outcome, why: second, untilTs: third } as HotChangeResult;
    case 'conflict':
      return { outcome, why: second } as HotChangeResult;
    case 'not_found':
      return { outcome, what: second } as HotChangeResult;
    default:
      return new MaruError('internal', 'the store gave an unknown answer');
  }
}
