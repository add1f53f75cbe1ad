/**
 * Computes the effect of a batch of entries on the messages of a room. Pure: the caller loads the
 * states and stores the result. The rules are those of `append-change.lua` and `room-overlay.lua`
 * in the gateway.
 */
import { LIMITS } from '@maru/protocol';
import { type Concern, concernOf, erasedEdit, erasedMessage, type LogEntry, threadOf } from './entries.ts';
import { type MessageState, newState, type ReactionState } from './message-state.ts';

/** The state of the affected messages before the batch. */
export interface Loaded {
  states: Map<number, MessageState>;
  /**
   * By seq and emoji: the first users who reacted. As many as the batch can promote into the list.
   */
  reactors: Map<string, string[]>;
  /**
   * By root: the newest replies that are not deleted, newest first. As many as the batch can
   * promote.
   */
  replies: Map<number, Reply[]>;
}

export interface Reply {
  seq: number;
  ts: number;
}

/** A reaction of a user to a message. */
export interface Reactor {
  seq: number;
  emoji: string;
  user: string;
}

export interface Folded {
  /** The batch. Texts that a deletion in it erased are gone. */
  rows: FoldedEntry[];
  /** New tails of deleted messages before the batch. */
  erased: Map<number, string>;
  /**
   * Messages that the batch deletes, also those that are not loaded. All edits of them before the
   * batch lose their texts.
   */
  deleted: Set<number>;
  /** Of all messages in the batch or concerned by it. */
  states: Map<number, MessageState>;
  /** Messages whose text was added or erased. */
  textChanged: Set<number>;
  /** `at` is the seq of the reaction. Undefined: the reaction was removed. */
  reactions: Array<Reactor & { at: number | undefined }>;
  /** Messages that lost all reactions of earlier batches. */
  reactionsDropped: Set<number>;
}

export interface FoldedEntry extends LogEntry {
  /** The seq of the message that it concerns. */
  target: number | undefined;
}

export const nothingLoaded = (): Loaded => ({ states: new Map(), reactors: new Map(), replies: new Map() });

export const reactorsKey = (seq: number, emoji: string): string => `${seq}\n${emoji}`;

/**
 * The entries MUST be in order. A message that is neither loaded nor in the batch was removed from
 * the archive: changes of it have no effect, except that a deletion also erases its edits. The
 * loaded states are not changed.
 */
export function fold(entries: readonly LogEntry[], loaded: Loaded): Folded {
  return new Fold(loaded).run(entries);
}

class Fold {
  readonly #states = new Map<number, MessageState>();
  readonly #loaded: Loaded;
  readonly #reactors: Map<string, string[]>;
  readonly #replies: Map<number, Reply[]>;
  readonly #rows = new Map<number, FoldedEntry>();
  readonly #erased = new Map<number, string>();
  readonly #deleted = new Set<number>();
  /** By message: its edits in the batch. */
  readonly #edits = new Map<number, FoldedEntry[]>();
  readonly #textChanged = new Set<number>();
  readonly #reactions = new Map<string, Reactor & { at: number | undefined }>();
  readonly #reactionsDropped = new Set<number>();

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
    this.#reactors = new Map(loaded.reactors);
    this.#replies = new Map(loaded.replies);
  }

  run(entries: readonly LogEntry[]): Folded {
    for (const entry of entries) {
      const concern = concernOf(entry);
      const row = { ...entry, target: concern?.seq };
      this.#rows.set(entry.seq, row);
      if (concern?.type === 'edit') this.#noteEdit(concern.seq, row);
      if (concern?.type === 'delete') this.#eraseEdits(concern.seq);
      if (entry.isMessage) {
        this.#states.set(entry.seq, newState(entry.seq, entry.ts, entry.author, threadOf(entry.tail)));
        this.#textChanged.add(entry.seq);
      }
      const state = concern === undefined ? undefined : this.#stateOf(concern.seq);
      if (concern !== undefined && state !== undefined) this.#apply(concern, state, entry);
    }
    return {
      rows: [...this.#rows.values()],
      erased: this.#erased,
      deleted: this.#deleted,
      states: this.#states,
      textChanged: this.#textChanged,
      reactions: [...this.#reactions.values()],
      reactionsDropped: this.#reactionsDropped,
    };
  }

  #stateOf(seq: number): MessageState | undefined {
    const known = this.#states.get(seq);
    if (known !== undefined) return known;
    const before = this.#loaded.states.get(seq);
    if (before === undefined) return undefined;
    const copy = { ...before, edits: [...before.edits], reactions: before.reactions.map((one) => ({ ...one })) };
    this.#states.set(seq, copy);
    return copy;
  }

  #apply(concern: Concern, state: MessageState, entry: LogEntry): void {
    if (concern.type === 'reply') this.#reply(state, entry);
    else if (concern.type === 'delete') this.#delete(state, entry);
    else if (concern.type === 'edit') this.#edit(state, entry, concern.tail);
    // A rollback of the hot log restores a deleted message there, but not here.
    else if (state.deleted !== undefined) return;
    else if (concern.type === 'pin') state.pinned = concern.active;
    else this.#react(state, entry, concern);
  }

  #edit(state: MessageState, { seq, ts }: LogEntry, tail: string | undefined): void {
    state.edits.push(seq);
    if (state.deleted !== undefined) return;
    state.editedTs = ts;
    state.tail = tail;
    this.#textChanged.add(state.seq);
  }

  #reply(root: MessageState, { seq, ts }: LogEntry): void {
    root.replies = { n: (root.replies?.n ?? 0) + 1, seq, ts };
    this.#replies.set(root.seq, [{ seq, ts }, ...(this.#replies.get(root.seq) ?? [])]);
  }

  #noteEdit(seq: number, row: FoldedEntry): void {
    const edits = this.#edits.get(seq);
    if (edits === undefined) this.#edits.set(seq, [row]);
    else edits.push(row);
  }

  #eraseEdits(seq: number): void {
    this.#deleted.add(seq);
    for (const row of this.#edits.get(seq) ?? []) row.tail = erasedEdit(seq);
    this.#edits.delete(seq);
  }

  #delete(state: MessageState, entry: LogEntry): void {
    const { seq, thread } = state;
    const isFirst = state.deleted === undefined;
    state.deleted = { ts: entry.ts, by: entry.author };
    this.#erase(seq, erasedMessage(thread));
    state.edits = [];
    if (!isFirst) return;
    Object.assign(state, { tail: undefined, editedTs: undefined, reactions: [], pinned: false });
    this.#textChanged.add(seq);
    this.#reactionsDropped.add(seq);
    for (const [key, reaction] of this.#reactions) if (reaction.seq === seq) this.#reactions.delete(key);
    const root = thread === undefined ? undefined : this.#stateOf(thread);
    if (root !== undefined) this.#forgetReply(root, seq);
  }

  #erase(seq: number, tail: string): void {
    const row = this.#rows.get(seq);
    if (row === undefined) this.#erased.set(seq, tail);
    else row.tail = tail;
  }

  #forgetReply(root: MessageState, seq: number): void {
    const left = (this.#replies.get(root.seq) ?? []).filter((reply) => reply.seq !== seq);
    this.#replies.set(root.seq, left);
    const { replies } = root;
    if (replies === undefined) return;
    const newest = left[0] ?? replies;
    root.replies = replies.n <= 1 ? undefined : { n: replies.n - 1, seq: newest.seq, ts: newest.ts };
  }

  #react(state: MessageState, entry: LogEntry, { emoji, active }: { emoji: string; active: boolean }): void {
    const user = entry.author;
    const known = state.reactions.find((one) => one.emoji === emoji);
    const key = reactorsKey(state.seq, emoji);
    this.#reactions.set(`${key}\n${user}`, { seq: state.seq, emoji, user, at: active ? entry.seq : undefined });
    const first = this.#reactors.get(key) ?? known?.users ?? [];
    if (active) {
      const reaction = known ?? { emoji, count: 0, users: [] };
      if (known === undefined) state.reactions.push(reaction);
      // A complete list stays complete. Otherwise the user is behind users who are not in the list.
      this.#setReactors(key, reaction, first.length === reaction.count ? [...first, user] : first);
      reaction.count += 1;
    } else if (known !== undefined) {
      known.count -= 1;
      this.#setReactors(
        key,
        known,
        first.filter((one) => one !== user),
      );
      if (known.count === 0) state.reactions = state.reactions.filter((one) => one !== known);
    }
  }

  #setReactors(key: string, reaction: ReactionState, first: string[]): void {
    this.#reactors.set(key, first);
    reaction.users = first.slice(0, LIMITS.reactionUsersShown);
  }
}
