/**
 * A simple model of a hot log and of the correct tables of the archive. It computes everything from
 * the whole log each time. For random tests.
 */
import { erasedEdit, erasedMessage, type LogEntry } from '../entries.ts';
import { type MessageState, newState } from '../message-state.ts';

export type Act = { kind: 'send'; user: string } | { kind: 'other'; user: string } | Concerning;

type Concerning =
  | { kind: 'reply' | 'edit' | 'delete' | 'pin'; user: string; back: number }
  | { kind: 'react'; user: string; back: number; emoji: string };

interface Data {
  seq: number;
  text: string;
  emoji: string;
  active: boolean;
}

interface View {
  state: MessageState;
  tail: string;
  reactors: Array<{ emoji: string; user: string; at: number }>;
}

const USERS_SHOWN = 10;

export class RoomModel {
  log: LogEntry[] = [];
  epoch = '1.a';
  base = 0;
  /** Deletions that the archive saw before a rollback removed them from the log. */
  #kept = new Map<number, { ts: number; by: string }>();
  #erased = new Set<number>();
  /** By message: its texts, also those of edits that a rollback removed. */
  #texts = new Map<number, string[]>();
  /** Texts that deletions removed. `at`: the seq of a deletion; 0: the archive has seen it. */
  #gone: Array<{ at: number; texts: string[] }> = [];
  #clock = 1_000;

  get head(): number {
    return this.log.length;
  }

  /** Does nothing if the hot log would refuse the act, or store nothing. */
  act(one: Act): void {
    if (one.kind === 'send') this.#add(one.user, 'text', `"text":"text ${this.#clock} \\",\\"thread\\":1"`);
    else if (one.kind === 'other') this.#add(one.user, 'room.update', '"data":{"title":"x"}');
    else this.#concern(one);
  }

  #concern(one: Concerning): void {
    const { user, kind } = one;
    const views = this.#replay(false);
    const target = views.get([...views.keys()].at(-1 - (one.back % Math.max(1, views.size))) ?? 0);
    if (target === undefined || target.state.deleted !== undefined) return;
    const { seq, thread, pinned } = target.state;
    if (kind === 'reply') {
      if (thread === undefined) this.#add(user, 'text', `"text":"reply ${this.#clock}","thread":${seq}`);
      return;
    }
    const has = kind === 'react' && target.reactors.some((r) => r.user === user && r.emoji === one.emoji);
    const data = {
      edit: { seq, text: `edit ${this.#clock} }` },
      delete: { seq },
      pin: { seq, active: !pinned },
      react: { seq, emoji: kind === 'react' ? one.emoji : '', active: !has },
    }[kind];
    this.#add(kind === 'edit' ? target.state.author : user, `message.${kind}`, `"data":${JSON.stringify(data)}`);
  }

  /** The log loses entries above `base`. The archive has entries up to `position`. */
  rollBack(base: number, position: number): void {
    const lost = this.log.slice(base, position);
    for (const { head, tail, ts, author } of lost) {
      if (!head.includes('"message.delete"')) continue;
      const { seq } = dataOf(tail);
      if (seq > base) continue;
      this.#kept.set(seq, { ts, by: author });
      for (const edit of this.log.slice(0, base)) {
        if (edit.head.includes('"message.edit"') && dataOf(edit.tail).seq === seq) this.#erased.add(edit.seq);
      }
    }
    // A deletion that the log lost before it was archived has no effect.
    this.#gone = this.#gone.filter(({ at }) => at <= position).map(({ texts }) => ({ at: 0, texts }));
    for (const seq of this.#texts.keys()) if (seq > base) this.#texts.delete(seq);
    for (const seq of this.#kept.keys()) if (seq > base) this.#kept.delete(seq);
    for (const seq of this.#erased) if (seq > base) this.#erased.delete(seq);
    this.log.length = base;
    this.epoch = `${Number.parseInt(this.epoch, 10) + 1}.b`;
    this.base = base;
  }

  /** Texts that no table may have once the archive has the whole log. */
  goneTexts(): string[] {
    return this.#gone.flatMap(({ texts }) => texts);
  }

  /** What the archive must have once it has the whole log. */
  tables(): { entries: LogEntry[]; messages: View[] } {
    const views = this.#replay(true);
    const erased = new Map<number, string>();
    const editsOf = (seq: number, before: number) =>
      this.log.filter((e) => e.seq < before && e.head.includes('"message.edit"') && dataOf(e.tail).seq === seq);
    for (const { seq, head, tail } of this.log) {
      if (this.#erased.has(seq)) erased.set(seq, erasedEdit(dataOf(tail).seq));
      if (!head.includes('"message.delete"')) continue;
      for (const edit of editsOf(dataOf(tail).seq, seq)) erased.set(edit.seq, erasedEdit(dataOf(tail).seq));
    }
    for (const { state } of views.values()) {
      if (state.deleted !== undefined) erased.set(state.seq, erasedMessage(state.thread));
    }
    const entries = this.log.map((entry) => ({ ...entry, tail: erased.get(entry.seq) ?? entry.tail }));
    return { entries, messages: [...views.values()] };
  }

  #add(author: string, type: string, tail: string): void {
    const n = (this.log.at(-1)?.n ?? 0) + (type === 'text' ? 1 : 0);
    const head = `"n":${n},"type":"${type}","from":{"id":"${author}","name":"${author}"}`;
    const seq = this.head + 1;
    this.log.push({ seq, ts: this.#clock++, n, author, isMessage: type === 'text', head, tail });
    const text = /"text":"(\w+ \d+)/.exec(tail)?.[1];
    const message = type === 'text' ? seq : dataOf(tail).seq;
    const texts = this.#texts.get(message) ?? [];
    if (text !== undefined) this.#texts.set(message, [...texts, text]);
    if (type === 'message.delete') this.#gone.push({ at: seq, texts });
  }

  /** `kept`: from the view of the archive, which keeps deletions. */
  #replay(kept: boolean): Map<number, View> {
    const views = new Map<number, View>();
    for (const { seq, ts, author, isMessage, head, tail } of this.log) {
      if (isMessage) {
        const thread = (JSON.parse(`{${tail}}`) as { thread?: number }).thread;
        const state = { ...newState(seq, ts, author, thread), deleted: kept ? this.#kept.get(seq) : undefined };
        views.set(seq, { state, tail, reactors: [] });
        continue;
      }
      const type = /"type":"message\.(\w+)"/.exec(head)?.[1];
      // The archive erased it because of a deletion that the log lost.
      if (kept && this.#erased.has(seq)) continue;
      const target = type === undefined ? undefined : views.get(dataOf(tail).seq);
      if (target !== undefined) change(target, type ?? '', dataOf(tail), { seq, ts, author });
    }
    for (const view of views.values()) finish(view, views);
    return views;
  }
}

const dataOf = (tail: string): Data => (JSON.parse(`{${tail}}`) as { data: Data }).data;

function change(view: View, type: string, data: Data, by: { seq: number; ts: number; author: string }): void {
  const { state } = view;
  if (type === 'edit') state.edits = [...state.edits, by.seq];
  if (type === 'delete') {
    const deleted = { ts: by.ts, by: by.author };
    Object.assign(state, { deleted, tail: undefined, editedTs: undefined, edits: [], reactions: [], pinned: false });
    view.reactors = [];
  }
  if (state.deleted !== undefined) return;
  if (type === 'edit') Object.assign(state, { editedTs: by.ts, tail: `"text":${JSON.stringify(data.text)}` });
  if (type === 'pin') state.pinned = data.active;
  if (type === 'react') {
    view.reactors = view.reactors.filter(({ emoji, user }) => emoji !== data.emoji || user !== by.author);
    if (data.active) view.reactors.push({ emoji: data.emoji, user: by.author, at: by.seq });
  }
  const seen = new Set(view.reactors.map(({ emoji }) => emoji));
  const order = [...state.reactions.map(({ emoji }) => emoji), data.emoji].filter((emoji) => seen.has(emoji));
  state.reactions = [...new Set(order)].map((emoji) => {
    const users = view.reactors.filter((one) => one.emoji === emoji).map(({ user }) => user);
    return { emoji, count: users.length, users: users.slice(0, USERS_SHOWN) };
  });
}

function finish({ state }: View, views: Map<number, View>): void {
  const root = state.thread === undefined ? undefined : views.get(state.thread)?.state;
  if (root === undefined || state.deleted !== undefined) return;
  root.replies = { n: (root.replies?.n ?? 0) + 1, seq: state.seq, ts: state.ts };
}
