/**
 * The fake server's state of edits, deletions, reactions, replies, pins and read positions of one
 * room. It computes everything from the entries at each read. This is slow but simple enough to be
 * correct. Pure.
 */
import { type Entry, LIMITS, type Reaction, type ReadData, type Reader } from '@maru/protocol';

const MENTION_ROOM = '@room';

type ActData = { seq: number; text?: string; mentions?: string[]; emoji?: string; active?: boolean };

const dataOf = ({ data }: Entry) => (data ?? {}) as ActData;

export class FakeConversation {
  /** In their original form, without erased texts. */
  readonly #entries: Entry[];
  readonly #reads = new Map<string, number>();

  constructor(entries: Entry[]) {
    this.#entries = entries;
  }

  message(seq: number): Entry | undefined {
    const entry = this.#entries[seq - 1];
    return entry?.type === 'text' ? entry : undefined;
  }

  isDeleted(seq: number): boolean {
    return this.#actsOn(seq, 'message.delete').length > 0;
  }

  /** The current form of the message for a reader. Other entries stay unchanged. */
  asNow(entry: Entry, reader: string): Entry {
    if (entry.type !== 'text') return entry;
    const [deletion] = this.#actsOn(entry.seq, 'message.delete');
    const edit = this.#actsOn(entry.seq, 'message.edit').at(-1);
    const pin = this.#actsOn(entry.seq, 'message.pin').at(-1);
    const replies = this.replies(entry.seq).filter(({ seq }) => !this.isDeleted(seq));
    const newest = replies.at(-1);
    const reactions = deletion === undefined ? this.reactions(entry.seq, reader) : [];
    const { text, mentions, ...rest } = entry;
    const words =
      edit === undefined ? { text, mentions } : { text: dataOf(edit).text, mentions: dataOf(edit).mentions };
    return {
      ...rest,
      text: deletion === undefined ? (words.text ?? '') : '',
      ...(deletion === undefined && words.mentions !== undefined ? { mentions: words.mentions } : {}),
      ...(deletion === undefined && edit !== undefined ? { edited: { ts: edit.ts } } : {}),
      ...(deletion === undefined ? {} : { deleted: { ts: deletion.ts, by: deletion.from.id }, erased: true as const }),
      ...(reactions.length === 0 ? {} : { reactions }),
      ...(newest === undefined ? {} : { replies: { n: replies.length, seq: newest.seq, ts: newest.ts } }),
      ...(deletion === undefined && pin !== undefined && dataOf(pin).active ? { pinned: true as const } : {}),
    };
  }

  reactions(seq: number, reader: string): Reaction[] {
    const users = new Map<string, string[]>();
    for (const entry of this.#actsOn(seq, 'message.react')) {
      const { emoji = '', active } = dataOf(entry);
      const others = (users.get(emoji) ?? []).filter((user) => user !== entry.from.id);
      if (active) others.push(entry.from.id);
      // An emoji that is used again is the last one.
      if (others.length === 0) users.delete(emoji);
      else users.set(emoji, others);
    }
    return [...users].map(([emoji, all]) => {
      return { emoji, count: all.length, mine: all.includes(reader), users: all.slice(0, LIMITS.reactionUsersShown) };
    });
  }

  replies(root: number): Entry[] {
    return this.#entries.filter(({ type, thread }) => type === 'text' && thread === root);
  }

  /** Whether the act has no effect. Then nothing is stored. */
  isSo(user: string, type: string, { seq, emoji, active }: ActData): boolean {
    if (type === 'message.delete') return this.isDeleted(seq);
    const earlier = this.#actsOn(seq, type).filter(
      (entry) => type !== 'message.react' || (entry.from.id === user && dataOf(entry).emoji === emoji),
    );
    const newest = earlier.at(-1);
    return type !== 'message.edit' && (newest === undefined ? false : dataOf(newest).active) === active;
  }

  /** Removes the texts of a deleted message. Call it when the deletion is stored. */
  erase(seq: number): void {
    for (const [index, entry] of this.#entries.entries()) {
      const isEdit = entry.type === 'message.edit' && dataOf(entry).seq === seq;
      if (entry.seq !== seq && !isEdit) continue;
      const { text: _, mentions: __, ...rest } = entry;
      this.#entries[index] = { ...rest, ...(isEdit ? { data: { seq } } : {}), erased: true };
    }
  }

  read(user: string, seq: number): ReadData {
    const head = this.#entries.length;
    const position = Math.max(this.#reads.get(user) ?? 0, Math.min(seq, head));
    this.#reads.set(user, position);
    const n = this.#n(position);
    return { seq: position, n, unread: this.#n(head) - n, mentions: this.#mentions(user, position) };
  }

  get readers(): Reader[] {
    return [...this.#reads].map(([user, seq]) => ({ user, seq }));
  }

  #n(seq: number): number {
    return this.#entries[seq - 1]?.n ?? 0;
  }

  #mentions(user: string, above: number): number {
    const now = this.#entries.filter(({ type, seq }) => type === 'text' && seq > above);
    return now.filter((entry) => {
      const { mentions = [] } = this.asNow(entry, user);
      return entry.from.id !== user && (mentions.includes(user) || mentions[0] === MENTION_ROOM);
    }).length;
  }

  #actsOn(seq: number, type: string): Entry[] {
    return this.#entries.filter((entry) => entry.type === type && dataOf(entry).seq === seq);
  }
}
