/** A simple model of the results of reads, for random tests. */
import type { Entry, Reaction } from '@maru/protocol';

/** The messages that a reader can compute from the entries alone. `data` is as in the contract. */
export function messagesOf(log: Entry[], reader: string): Map<number, Entry> {
  const messages = new Map<number, Entry>();
  const reacted = new Map<number, Array<{ emoji: string; user: string }>>();
  for (const entry of log) {
    const data = entry.data as { seq: number; text?: string; mentions?: string[]; emoji: string; active: boolean };
    const target = messages.get(data?.seq);
    if (entry.type === 'text') messages.set(entry.seq, { ...entry });
    if (target === undefined) continue;
    if (entry.type === 'message.edit' && target.deleted === undefined) {
      const { mentions: _, ...rest } = target;
      const now = { ...rest, text: data.text ?? '', edited: { ts: entry.ts } };
      messages.set(data.seq, data.mentions === undefined ? now : { ...now, mentions: data.mentions });
    }
    if (entry.type === 'message.delete') {
      const { mentions: _, edited: __, pinned: ___, ...rest } = target;
      messages.set(data.seq, { ...rest, text: '', erased: true, deleted: { ts: entry.ts, by: entry.from.id } });
      reacted.delete(data.seq);
    }
    if (entry.type === 'message.pin') {
      const { pinned: _, ...rest } = target;
      messages.set(data.seq, data.active ? { ...rest, pinned: true } : rest);
    }
    if (entry.type === 'message.react') {
      const others = (reacted.get(data.seq) ?? []).filter((r) => r.emoji !== data.emoji || r.user !== entry.from.id);
      reacted.set(data.seq, data.active ? [...others, { emoji: data.emoji, user: entry.from.id }] : others);
    }
  }
  for (const [seq, list] of reacted) {
    const reactions = reactionsOf(list, reader);
    if (reactions.length > 0) Object.assign(messages.get(seq) as Entry, { reactions });
  }
  for (const message of messages.values()) {
    if (message.thread === undefined || message.deleted !== undefined) continue;
    const root = messages.get(message.thread) as Entry;
    root.replies = { n: (root.replies?.n ?? 0) + 1, seq: message.seq, ts: message.ts };
  }
  return messages;
}

function reactionsOf(list: Array<{ emoji: string; user: string }>, reader: string): Reaction[] {
  const emoji = [...new Set(list.map((one) => one.emoji))];
  return emoji.map((one) => {
    const users = list.filter((reaction) => reaction.emoji === one).map(({ user }) => user);
    return { emoji: one, count: users.length, mine: users.includes(reader), users: users.slice(0, 10) };
  });
}

/** Removes the order of emoji and of users, which is not part of the contract. */
export const comparable = ({ reactions, ...message }: Entry) => ({
  ...message,
  ...(reactions === undefined ? {} : { reactions: [...reactions].sort((a, b) => (a.emoji < b.emoji ? -1 : 1)) }),
});

/** The current form of all entries: messages, and edits without the texts of deleted messages. */
export function entriesNow(log: Entry[], reader: string): Entry[] {
  const messages = messagesOf(log, reader);
  return log.map((entry) => {
    if (entry.type === 'text') return messages.get(entry.seq) as Entry;
    const { seq } = (entry.data ?? {}) as { seq?: number };
    const isErased = entry.type === 'message.edit' && messages.get(seq ?? 0)?.deleted !== undefined;
    return isErased ? { ...entry, data: { seq }, erased: true } : entry;
  });
}
