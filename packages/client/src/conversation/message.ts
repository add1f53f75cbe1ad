/**
 * One message of the model: up to which entry it is current, and how later entries change it. Pure.
 */
import type { Entry, Reaction } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import type { MessageChange } from '../acts.ts';
import type { Message } from './types.ts';

export interface KnownMessage extends Omit<Message, 'pending' | 'canUndo'> {
  /** Effects of entries up to this `seq` are included. Later ones are not. */
  readonly asOf: number;
  /**
   * The entry at this `seq` changed something that cannot be derived from it. So the message must
   * be read as of this `seq` or later. Null if nothing is missing.
   */
  readonly staleAt: number | null;
}

/** `asOf`: the head of the read. For a live entry, its own `seq`. */
export function messageOf(entry: Entry, asOf: number): KnownMessage {
  return {
    seq: entry.seq,
    ts: entry.ts,
    n: entry.n,
    from: entry.from,
    clientMsgId: entry.clientMsgId ?? null,
    text: entry.text ?? '',
    edited: entry.edited ?? null,
    deleted: entry.deleted ?? null,
    mentions: entry.mentions ?? [],
    reactions: entry.reactions ?? [],
    thread: entry.thread ?? null,
    replies: entry.replies ?? null,
    pinned: entry.pinned ?? false,
    asOf,
    staleAt: null,
  };
}

/** `entry` carries `change`, whose target is this message. */
export function applyChange(message: KnownMessage, entry: Entry, change: MessageChange, ownId: string): KnownMessage {
  if (entry.seq <= message.asOf || message.deleted !== null) return message;
  const next = { ...message, asOf: entry.seq };
  switch (change.type) {
    case 'message.edit': {
      // Without a text, the message was deleted since. The deletion follows.
      const { text = '', mentions = [] } = change;
      return { ...next, text, mentions, edited: { ts: entry.ts } };
    }
    case 'message.delete':
      return { ...next, ...NOTHING, deleted: { ts: entry.ts, by: entry.from.id } };
    case 'message.pin':
      return { ...next, pinned: change.active };
    case 'message.react': {
      const { reactions, isExact } = react(message.reactions, change, entry.from.id, ownId);
      return { ...next, reactions, staleAt: isExact ? message.staleAt : entry.seq };
    }
  }
}

/** Fields that a deletion clears. */
const NOTHING = { text: '', edited: null, mentions: [], reactions: [], pinned: false } as const;

/** Only the first users are listed. So if one of them leaves, it is unknown who follows. */
export function react(
  reactions: readonly Reaction[],
  { emoji, active }: { emoji: string; active: boolean },
  user: string,
  ownId: string,
): { reactions: readonly Reaction[]; isExact: boolean } {
  const found = reactions.find((reaction) => reaction.emoji === emoji);
  const before: Reaction = found ?? { emoji, count: 0, mine: false, users: [] };
  const others = before.users.filter((id) => id !== user);
  const mine = user === ownId ? active : before.mine;
  const count = before.count + (active ? 1 : -1);
  const isNamed = active && others.length === before.count && others.length < LIMITS.reactionUsersShown;
  const after: Reaction = { emoji, count, mine, users: isNamed ? [...others, user] : others };
  const isExact = active || others.length === count || others.length === LIMITS.reactionUsersShown;
  if (found === undefined) return { reactions: active ? [...reactions, after] : reactions, isExact };
  const changed = reactions.map((reaction) => (reaction === found ? after : reaction));
  return { reactions: count > 0 ? changed : reactions.filter((reaction) => reaction !== found), isExact };
}

/** The message is a thread's root, and the entry at `seq` is a new reply. */
export function countReply(root: KnownMessage, seq: number, ts: number): KnownMessage {
  if (seq <= root.asOf) return root;
  return { ...root, asOf: seq, replies: { n: (root.replies?.n ?? 0) + 1, seq, ts } };
}

/** The entry at `seq` deletes the reply `reply` to this message. */
export function uncountReply(root: KnownMessage, seq: number, reply: number): KnownMessage {
  if (seq <= root.asOf) return root;
  const { replies } = root;
  if (replies === null || replies.n <= 1) return { ...root, asOf: seq, replies: null };
  // It is unknown which reply is the newest now.
  const staleAt = replies.seq === reply ? seq : root.staleAt;
  return { ...root, asOf: seq, replies: { ...replies, n: replies.n - 1 }, staleAt };
}

/** The entry at `seq` deletes an unknown message, which may be a reply to this one. */
export function doubtReplies(root: KnownMessage, seq: number, reply: number): KnownMessage {
  const { replies } = root;
  const mayConcern = replies !== null && seq > root.asOf && reply > root.seq && reply <= replies.seq;
  return mayConcern ? { ...root, staleAt: seq } : root;
}
