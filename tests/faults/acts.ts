/** Chooses the next act of a member: a mix like that of people. Pure. */
import type { ClientRequests } from '@maru/protocol';
import type { MessageAct } from '@maru/testkit/checker/content';
import type { MessageView } from '@maru/testkit/view/message-view';
import type { MemberRoom } from './member-room.ts';
import type { Random } from './random.ts';
import type { EntryRequest, Kind, Look, Work } from './work.ts';

/** Acts with their weights. All but the last three are entries of the log. */
const WEIGHTS = {
  send: 40,
  reply: 9,
  mention: 7,
  edit: 11,
  delete: 5,
  react: 16,
  pin: 3,
  read: 5,
  page: 2,
  rejoin: 2,
} as const satisfies Record<Kind, number>;

const EMOJI = ['👍', '❤️', '👩‍👩‍👧‍👦', '🇰🇷'] as const;
/** Most acts have a new message as target. */
const CHOICE_MAX = 30;
/** Few messages, so that some get many reactions. */
const REACTED_MAX = 6;
/** The share of an owner's messages that are replaced by pins. */
const OWNERS_PINS = 0.3;
/** The share of reactions and pins that are removed again. */
const UNDONE = 0.4;
const KINDS = (Object.keys(WEIGHTS) as Kind[]).flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));

export interface Situation {
  room: MemberRoom;
  random: Random;
  /** Users of the room. */
  users: readonly string[];
  /** Unique in each room and for each member. */
  text: string;
}

export function chooseStep(situation: Situation): Work | Look {
  const { room, random } = situation;
  const kind = permitted(random.pick(KINDS), situation);
  switch (kind) {
    case 'read':
      return { kind, event: 'room:read', payload: { seq: room.view.position } };
    case 'page':
      return { kind, event: 'messages:read', payload: choosePage(situation) };
    case 'rejoin':
      return { kind, event: 'room:join', payload: { limit: random.between(1, 50) } };
    default:
      return chooseWork(kind, situation);
  }
}

/** Only owners pin, so they do it more often. */
function permitted(kind: Kind, { room, random }: Situation): Kind {
  if (!room.isOwner) return kind === 'pin' ? 'react' : kind;
  return kind === 'send' && random.next() < OWNERS_PINS ? 'pin' : kind;
}

/** A plain message. */
export const plainMessage = (text: string): Work => ({ kind: 'send', event: 'message:send', content: { text } });

function chooseWork(kind: Kind, situation: Situation): Work {
  const { room, random, users, text } = situation;
  if (kind === 'mention') {
    const mentions =
      room.isOwner && random.next() < 0.3 ? ['@room'] : [...new Set([random.pick(users), random.pick(users)])];
    return { kind, event: 'message:send', content: { text, mentions } };
  }
  const target = chooseTarget(kind, situation);
  if (kind === 'send' || target === undefined) return plainMessage(text);
  if (kind === 'reply') return { kind, event: 'message:send', content: { text, thread: target.seq } };
  const undone = random.next() < UNDONE ? undo(kind, situation) : undefined;
  const act = undone ?? actOn(kind, target, situation);
  return { kind, event: act.type.replace('.', ':') as EntryRequest, content: { act } };
}

function actOn(kind: Kind, target: MessageView, { random, text, users }: Situation): MessageAct {
  const { seq } = target;
  switch (kind) {
    case 'edit': {
      const mentions = random.next() < 0.2 ? { mentions: [random.pick(users)] } : {};
      return { type: 'message.edit', data: { seq, text, ...mentions } };
    }
    case 'delete':
      return { type: 'message.delete', data: { seq, ...(random.next() < 0.3 ? { reason: 'off topic' } : {}) } };
    case 'pin':
      return { type: 'message.pin', data: { seq, active: random.next() < 0.95 } };
    default:
      return { type: 'message.react', data: { seq, emoji: random.pick(EMOJI), active: random.next() < 0.95 } };
  }
}

/** Removes a reaction or a pin of the view. Undefined if there is none. */
function undo(kind: Kind, { room, random }: Situation): MessageAct | undefined {
  for (const { seq, pinned, reactions } of room.view.newest()) {
    if (kind === 'pin' && pinned) return { type: 'message.pin', data: { seq, active: false } };
    const mine = [...(reactions ?? [])].filter(([, reaction]) => reaction.mine);
    if (kind !== 'react' || mine.length === 0) continue;
    return { type: 'message.react', data: { seq, emoji: random.pick(mine)[0], active: false } };
  }
  return undefined;
}

function chooseTarget(kind: Kind, { room, random }: Situation): MessageView | undefined {
  const fits = ({ deleted, thread, from }: MessageView): boolean => {
    if (deleted !== undefined) return false;
    if (kind === 'reply') return thread === undefined;
    if (kind === 'edit') return from === room.user;
    if (kind === 'delete') return from === room.user || room.isOwner;
    return kind !== 'pin' || room.isOwner;
  };
  const chosen: MessageView[] = [];
  const max = kind === 'react' ? REACTED_MAX : CHOICE_MAX;
  for (const message of room.view.newest()) {
    if (fits(message)) chosen.push(message);
    if (chosen.length >= max) break;
  }
  return chosen.length === 0 ? undefined : random.pick(chosen);
}

function choosePage({ room, random }: Situation): Omit<ClientRequests['messages:read'][0], 'room'> {
  const limit = random.between(1, 100);
  const newest = [...room.view.newest()];
  const some = newest.length === 0 ? 1 : random.pick(newest).seq;
  const thread = newest.find(({ replies }) => replies.n > 0)?.seq;
  return random.pick([
    { before: Math.max(1, room.view.floor), limit },
    { around: some, limit },
    { after: some, limit },
    { pinned: true, limit },
    thread === undefined ? { limit } : { thread, limit },
  ]);
}
