/**
 * One message in the view of a reader, and its changes by later entries. Pure. It shares no code
 * with the client library and the gateway, so neither can hide the other's errors.
 */
import type { Entry, MessageActEntries } from '@maru/protocol/events';

export interface ReactionView {
  count: number;
  /** The first users who reacted, in order. Undefined: no longer known. */
  users: string[] | undefined;
  /** Undefined in a view without a reader. */
  mine: boolean | undefined;
}

export interface MessageView {
  seq: number;
  ts: number;
  from: string;
  thread: number | undefined;
  text: string;
  mentions: readonly string[];
  editedTs: number | undefined;
  deleted: { ts: number; by: string } | undefined;
  pinned: boolean;
  /** Undefined if there are none, which is the case for most messages. */
  reactions: Map<string, ReactionView> | undefined;
  replies: { n: number; newest: { seq: number; ts: number } | undefined };
  /** Entries up to this `seq` are applied. */
  asOf: number;
}

/** In `mentions`: all readers of the room. */
export const MENTION_ROOM = '@room';
/** A read names this many users of a reaction. */
export const USERS_SHOWN = 10;

export type Messages = Map<number, MessageView>;

export interface Reader {
  /** Undefined for a view without a reader, for example of the log itself. */
  user: string | undefined;
  /** How many users of a reaction are kept. */
  usersMax: number;
}

/** `asOf`: for a live entry its own `seq`, for a message of a read the answer's `head`. */
export function viewOf(entry: Entry, asOf: number): MessageView {
  const { seq, ts, from, thread, text = '', mentions = [], edited, deleted, replies, reactions = [] } = entry;
  return {
    seq,
    ts,
    from: from.id,
    thread,
    text,
    mentions,
    editedTs: edited?.ts,
    deleted,
    pinned: entry.pinned ?? false,
    reactions:
      reactions.length === 0
        ? undefined
        : new Map(
            reactions.map(({ emoji, count, users, mine }) => [
              emoji,
              { count, users: Array.isArray(users) ? [...users] : [], mine },
            ]),
          ),
    replies: {
      n: replies?.n ?? 0,
      newest: replies && replies.n > 0 ? { seq: replies.seq, ts: replies.ts } : undefined,
    },
    asOf,
  };
}

/** Applies an entry to the messages that it changes. It does not add a message. */
export function applyEntry(messages: ReadonlyMap<number, MessageView>, entry: Entry, reader: Reader): void {
  const target = targetOf(messages, entry);
  switch (entry.type) {
    case 'text': {
      const root = entry.thread === undefined ? undefined : messages.get(entry.thread);
      if (root === undefined || entry.seq <= root.asOf) return;
      root.replies = { n: root.replies.n + 1, newest: { seq: entry.seq, ts: entry.ts } };
      return;
    }
    case 'message.edit': {
      const { text = '', mentions = [] } = entry.data as MessageActEntries['message.edit'];
      if (target !== undefined) Object.assign(target, { text, mentions, editedTs: entry.ts });
      return;
    }
    case 'message.delete':
      applyDeletion(messages, entry);
      return;
    case 'message.react':
      if (target !== undefined) applyReaction(target, entry, reader);
      return;
    case 'message.pin':
      if (target !== undefined) target.pinned = (entry.data as MessageActEntries['message.pin']).active;
  }
}

/** The target of an act, unless the message already includes the act. */
function targetOf(messages: ReadonlyMap<number, MessageView>, entry: Entry): MessageView | undefined {
  const target = messages.get((entry.data as { seq?: number } | undefined)?.seq ?? 0);
  return target === undefined || entry.seq <= target.asOf ? undefined : target;
}

function applyDeletion(messages: ReadonlyMap<number, MessageView>, entry: Entry): void {
  const known = messages.get((entry.data as MessageActEntries['message.delete']).seq);
  const target = targetOf(messages, entry);
  if (target !== undefined) {
    target.deleted = { ts: entry.ts, by: entry.from.id };
    target.text = '';
    target.mentions = [];
    target.editedTs = undefined;
    target.pinned = false;
    target.reactions = undefined;
  }
  const root = known?.thread === undefined ? undefined : messages.get(known.thread);
  if (root === undefined || entry.seq <= root.asOf) return;
  const { n, newest } = root.replies;
  root.replies = {
    n: n - 1,
    newest: newest?.seq === known?.seq ? newestReply(messages, root.seq, known?.seq) : newest,
  };
}

/** All replies to a known root are known, because they are newer than the root. */
function newestReply(messages: ReadonlyMap<number, MessageView>, root: number, except: number | undefined) {
  let newest: { seq: number; ts: number } | undefined;
  for (const { seq, ts, thread, deleted } of messages.values()) {
    const counts = thread === root && deleted === undefined && seq !== except;
    if (counts && seq > (newest?.seq ?? 0)) newest = { seq, ts };
  }
  return newest;
}

function applyReaction(target: MessageView, entry: Entry, reader: Reader): void {
  const { emoji, active } = entry.data as MessageActEntries['message.react'];
  target.reactions ??= new Map();
  const known = target.reactions.get(emoji) ?? {
    count: 0,
    users: [],
    mine: reader.user === undefined ? undefined : false,
  };
  const user = entry.from.id;
  const { users } = known;
  if (active && users !== undefined && users.length < reader.usersMax) users.push(user);
  if (!active && users?.includes(user)) {
    // Another user is now among the first ones, and the reader does not know which.
    known.users = known.count > users.length ? undefined : users.filter((other) => other !== user);
  }
  known.count += active ? 1 : -1;
  if (user === reader.user) known.mine = active;
  if (known.count > 0) target.reactions.set(emoji, known);
  else target.reactions.delete(emoji);
  if (target.reactions.size === 0) target.reactions = undefined;
}
