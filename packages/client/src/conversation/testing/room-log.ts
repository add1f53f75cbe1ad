/**
 * A room of a server in the simplest form: a list of entries. A read scans all of them. It shares
 * no code with the model.
 */
import type { Entry, MessagesData, Reaction } from '@maru/protocol/events';

export interface ReadOptions {
  before?: number;
  after?: number;
  around?: number;
  at?: number;
  thread?: number;
  pinned?: true;
  limit: number;
}

type MessageData = { seq: number; text?: string; emoji?: string; active?: boolean; mentions?: string[] };

export class RoomLog {
  readonly room: string;
  epoch = 'e1';
  #entries: Entry[] = [];
  #now = 1_000;

  constructor(room = 'lobby') {
    this.room = room;
  }

  get head(): number {
    return this.#entries.length;
  }

  get n(): number {
    return this.#entries.filter(({ type }) => type === 'text').length;
  }

  append(user: string, type: string, content: Partial<Entry>): Entry {
    this.#now += 7;
    const n = this.n + (type === 'text' ? 1 : 0);
    const from = { id: user, name: user };
    const base = { room: this.room, epoch: this.epoch, seq: this.head + 1, ts: this.#now, n, type, from };
    const entry: Entry = { ...base, clientMsgId: `c${this.#now}`, ...content };
    this.#entries.push(entry);
    if (type === 'message.delete') this.#erase((entry.data as MessageData).seq);
    return entry;
  }

  #erase(seq: number): void {
    this.#entries = this.#entries.map((entry) => {
      if (entry.seq === seq) {
        const { text: _, mentions: __, ...rest } = entry;
        return { ...rest, erased: true };
      }
      const isEdit = entry.type === 'message.edit' && (entry.data as MessageData).seq === seq;
      return isEdit ? { ...entry, data: { seq }, erased: true } : entry;
    });
  }

  rollBack(head: number): void {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.#entries = this.#entries.slice(0, head).map((entry) => ({ ...entry, epoch: this.epoch }));
  }

  /** The original entries, without erased texts. */
  appended(after: number): Entry[] {
    return this.#entries.slice(after);
  }

  /** Entries, with messages as of the head. */
  history(after: number, reader: string): Entry[] {
    return this.appended(after).map((entry) => (entry.type === 'text' ? this.#current(entry, reader) : entry));
  }

  find(seq: number): Entry | undefined {
    const entry = this.#entries[seq - 1];
    return entry?.type === 'text' ? entry : undefined;
  }

  isDeleted(seq: number): boolean {
    return this.#actsOn(seq).some(({ type }) => type === 'message.delete');
  }

  read({ before, after, around: seq, at, thread, pinned, limit }: ReadOptions, reader: string): MessagesData {
    const all = this.#entries
      .filter(({ type }) => type === 'text')
      .map((entry) => this.#current(entry, reader))
      .filter((entry) => thread === undefined || entry.thread === thread)
      .filter((entry) => pinned === undefined || entry.pinned === true);
    // A page around a time has messages on both sides of it.
    const around = at === undefined ? seq : (all.find(({ ts }) => ts >= at)?.seq ?? this.head + 1);
    let messages = all.slice(-limit);
    if (before !== undefined) messages = all.filter(({ seq }) => seq < before).slice(-limit);
    if (after !== undefined) messages = all.filter(({ seq }) => seq > after).slice(0, limit);
    if (around !== undefined) {
      const place = all.findIndex(({ seq }) => seq >= around);
      const start = Math.max(0, (place === -1 ? all.length : place) - Math.floor(limit / 2));
      messages = all.slice(start, start + limit);
    }
    const [first, last] = [messages[0], messages.at(-1)];
    const from = first?.seq ?? before ?? this.head + 1;
    const to = last?.seq ?? after ?? 0;
    return {
      epoch: this.epoch,
      head: this.head,
      messages,
      hasMore: all.some(({ seq }) => seq < from),
      hasNewer: messages.length > 0 && all.some(({ seq }) => seq > to),
    };
  }

  #actsOn(seq: number): Entry[] {
    return this.#entries.filter(({ type, data }) => type !== 'text' && (data as MessageData | undefined)?.seq === seq);
  }

  #current(entry: Entry, reader: string): Entry {
    const acts = this.#actsOn(entry.seq);
    const { mentions, ...rest } = entry;
    const replies = this.#entries.filter(({ thread, seq }) => thread === entry.seq && !this.isDeleted(seq));
    const newest = replies.at(-1);
    const thread = newest === undefined ? {} : { replies: { n: replies.length, seq: newest.seq, ts: newest.ts } };
    const deletion = acts.find(({ type }) => type === 'message.delete');
    if (deletion !== undefined)
      return { ...rest, ...thread, text: '', deleted: { ts: deletion.ts, by: deletion.from.id }, erased: true };
    const edit = acts.findLast(({ type }) => type === 'message.edit');
    const { text = '', mentions: now } = (edit?.data ?? { text: entry.text, mentions }) as MessageData;
    const pin = acts.findLast(({ type }) => type === 'message.pin')?.data as MessageData | undefined;
    const reactions = reactionsOf(acts, reader);
    return {
      ...rest,
      ...thread,
      text,
      ...(now === undefined ? {} : { mentions: now }),
      ...(edit === undefined ? {} : { edited: { ts: edit.ts } }),
      ...(reactions.length === 0 ? {} : { reactions }),
      ...(pin?.active ? { pinned: true } : {}),
    };
  }
}

/** Every change of a reaction is an entry. An act without effect is not stored. */
function reactionsOf(acts: readonly Entry[], reader: string): Reaction[] {
  const users = new Map<string, string[]>();
  for (const { type, data, from } of acts) {
    if (type !== 'message.react') continue;
    const { emoji = '', active } = data as MessageData;
    const now = (users.get(emoji) ?? []).filter((id) => id !== from.id);
    if (active) now.push(from.id);
    if (now.length === 0) users.delete(emoji);
    else users.set(emoji, now);
  }
  return [...users].map(([emoji, ids]) => ({
    emoji,
    count: ids.length,
    mine: ids.includes(reader),
    users: ids.slice(0, 10),
  }));
}
