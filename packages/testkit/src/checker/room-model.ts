/**
 * The expected state of a room, computed from its log alone: the final state of each message, and
 * the counts of each user. Pure. The log must be complete. Texts come from the senders, because a
 * history shows only current texts.
 */
import type { Entry } from '@maru/protocol/events';
import { differencesOf } from '../view/differences.ts';
import {
  applyEntry,
  MENTION_ROOM,
  type Messages,
  type MessageView,
  USERS_SHOWN,
  viewOf,
} from '../view/message-view.ts';

export interface ModelOptions {
  history: readonly Entry[];
  /** The message in its original form. Undefined: as in the history. */
  sent(entry: Entry): { text: string; mentions?: readonly string[] } | undefined;
  /** In a private room, mentions of users who may not read do not count. Default: all may read. */
  mayRead?(user: string): boolean;
}

export interface ReadCounts {
  read: { seq: number; n: number };
  unread: number;
  mentions: number;
}

const EVERYONE = { user: undefined, usersMax: Number.POSITIVE_INFINITY };
const DIFFERENCES_MAX = 20;

export class RoomModel {
  readonly messages: Messages = new Map();
  readonly head: number;
  /** The number of messages, by `seq`. */
  readonly #n: number[] = [0];
  readonly #mayRead: (user: string) => boolean;

  constructor({ history, sent, mayRead = () => true }: ModelOptions) {
    this.#mayRead = mayRead;
    this.head = history.at(-1)?.seq ?? 0;
    for (const entry of history) {
      const { seq, ts, from, thread } = entry;
      applyEntry(this.messages, entry, EVERYONE);
      this.#n[seq] = (this.#n[seq - 1] ?? 0) + (entry.type === 'text' ? 1 : 0);
      if (entry.type !== 'text') continue;
      const { text = entry.text ?? '', mentions = [] } = sent(entry) ?? {};
      const base = { seq, ts, from, text, mentions, ...(thread === undefined ? {} : { thread }) };
      this.messages.set(seq, viewOf(base as Entry, seq));
    }
  }

  /** The messages up to `seq`. */
  n(seq: number): number {
    return this.#n[Math.min(seq, this.head)] ?? 0;
  }

  /** The messages above `seq` that mention the user. */
  mentions(user: string, seq: number): number {
    let count = 0;
    for (const message of this.messages.values()) {
      const { mentions, from, deleted } = message;
      if (message.seq <= seq || deleted !== undefined || from === user || !this.#mayRead(user)) continue;
      if (mentions.includes(user) || mentions[0] === MENTION_ROOM) count++;
    }
    return count;
  }

  /**
   * `keptFrom`: older messages may have left the hot log, and then their mentions do not count.
   * @returns the errors in the counts of a user
   */
  countDifferences(user: string, counts: ReadCounts, keptFrom = 1): string[] {
    const { read, unread, mentions } = counts;
    const all = this.mentions(user, read.seq);
    const ofKept = this.mentions(user, Math.max(read.seq, keptFrom - 1));
    const expected = {
      'read.n': [read.n, this.n(read.seq)],
      unread: [unread, this.n(this.head) - this.n(read.seq)],
      // The log may keep more than it must.
      mentions: [mentions, Math.min(all, Math.max(ofKept, mentions))],
    };
    return Object.entries(expected).flatMap(([what, [given, due]]) =>
      given === due ? [] : [`${what} of ${user} read up to ${read.seq} is ${given}, not ${due}`],
    );
  }

  /**
   * Compares a read of the quiet room by a user. @param which the messages that it must contain;
   * default: those between its first and last
   */
  readDifferences(user: string, read: readonly Entry[], which?: (message: MessageView) => boolean): string[] {
    const differences: string[] = [];
    const [first = 0, last = 0] = [read[0]?.seq, read.at(-1)?.seq];
    const isDue = which ?? (({ seq }: MessageView) => seq >= first && seq <= last);
    const missing = new Set([...this.messages.values()].filter(isDue).map(({ seq }) => seq));
    for (const entry of read) {
      const message = this.messages.get(entry.seq);
      if (!missing.delete(entry.seq)) differences.push(`message ${entry.seq} must not be there`);
      if (message === undefined) continue;
      for (const what of differencesOf(asSeenBy(message, user), viewOf(entry, this.head)))
        differences.push(`message ${entry.seq}: ${what}`);
    }
    for (const seq of missing) differences.push(`message ${seq} is missing`);
    return differences.slice(0, DIFFERENCES_MAX);
  }
}

function asSeenBy(message: MessageView, user: string): MessageView {
  if (message.reactions === undefined) return message;
  const reactions = [...message.reactions].map(([emoji, { count, users = [] }]) => {
    const shown = users.slice(0, USERS_SHOWN);
    return [emoji, { count, users: shown, mine: users.includes(user) }] as const;
  });
  return { ...message, reactions: new Map(reactions) };
}
