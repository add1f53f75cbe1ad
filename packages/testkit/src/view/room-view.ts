/**
 * One member's view of a room, built like in a client: from reads, live entries and resumed
 * entries. Pure. It keeps the messages from a first `seq` on without gaps. The oldest are
 * forgotten, so a run may take hours.
 */
import type { Entry } from '@maru/protocol/events';
import { differencesOf } from './differences.ts';
import { applyEntry, type Messages, type MessageView, type Reader, USERS_SHOWN, viewOf } from './message-view.ts';

export interface RoomViewOptions {
  user: string;
  messagesMax?: number;
}

/** The answer to a read. Messages are as of `head`. */
export interface Page {
  epoch: string;
  head: number;
  messages: readonly Entry[];
}

const MESSAGES_MAX_DEFAULT = 200;
/** Number of entries to keep for reads whose answer arrives after newer entries. */
const RECENT_MAX = 200;
const DIFFERENCES_MAX = 5;

export class RoomView {
  readonly #reader: Reader;
  readonly #messagesMax: number;
  readonly #messages: Messages = new Map();
  /** The `seq`s of messages, ascending. */
  #order: number[] = [];
  #recent: Entry[] = [];
  #epoch = '';
  /** The view has every message from here on. */
  #floor = 0;
  #position = 0;

  constructor({ user, messagesMax = MESSAGES_MAX_DEFAULT }: RoomViewOptions) {
    this.#reader = { user, usersMax: USERS_SHOWN };
    this.#messagesMax = messagesMax;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get position(): number {
    return this.#position;
  }

  get floor(): number {
    return this.#floor;
  }

  /** The newest messages first. */
  *newest(): Generator<MessageView> {
    for (let index = this.#order.length - 1; index >= 0; index--) {
      const message = this.#messages.get(this.#order[index] as number);
      if (message !== undefined) yield message;
    }
  }

  get(seq: number): MessageView | undefined {
    return this.#messages.get(seq);
  }

  /** The answer to a join: the newest entries. Live entries continue after its head. */
  joined({ epoch, head, messages }: Page): void {
    const first = messages[0]?.seq ?? head + 1;
    if (epoch !== this.#epoch || first > this.#position + 1 || head < this.#position) this.reset(epoch, first - 1);
    this.#floor = Math.min(this.#floor, first);
    const missed = messages.filter(({ seq }) => seq > this.#position);
    for (const entry of messages) if (entry.type === 'text') this.#keep(viewOf(entry, head));
    // They changed older messages that are not in the answer.
    for (const entry of missed) this.#apply(entry);
    this.#position = head;
  }

  /** The next entry, live or resumed. */
  received(entry: Entry): void {
    this.#position = entry.seq;
    this.#apply(entry);
    if (entry.type !== 'text' || this.#messages.has(entry.seq)) return;
    this.#keep(viewOf(entry, entry.seq));
  }

  /** Forgets everything up to `head`: after a new epoch, or a declared gap. */
  reset(epoch: string, head: number): void {
    this.#epoch = epoch;
    this.#messages.clear();
    this.#order = [];
    this.#recent = [];
    this.#position = head;
    this.#floor = head + 1;
  }

  /**
   * The answer to `messages:read`. `reaches`: the page has all messages from here up to the floor.
   * @returns the differences from the view
   */
  read(page: Page, reaches?: number): string[] {
    if (page.epoch !== this.#epoch || !this.#isRecent(page.head)) return [];
    const messages: Messages = new Map(
      page.messages.filter(({ type }) => type === 'text').map((entry) => [entry.seq, viewOf(entry, page.head)]),
    );
    const differences = page.head <= this.#position ? this.#compare(messages) : [];
    // An old answer ends before the floor if the view has forgotten newer messages since.
    const isWhole = page.head >= this.#floor - 1;
    if (reaches !== undefined && reaches < this.#floor && isWhole) {
      const floor = this.#floor;
      this.#floor = reaches;
      for (const message of messages.values()) if (message.seq >= reaches && message.seq < floor) this.#keep(message);
    }
    return differences;
  }

  /**
   * Compares with the newest messages of a quiet room. @param whole the page reaches back to the
   * first message
   */
  compare(page: Page, whole: boolean): string[] {
    if (page.epoch !== this.#epoch || page.head !== this.#position)
      return [`the view ends at ${this.#position}, the read at ${page.head}`];
    const fresh = new Map(page.messages.map((entry) => [entry.seq, viewOf(entry, page.head)]));
    const from = Math.max(this.#floor, whole ? 0 : (page.messages[0]?.seq ?? 0));
    const differences: string[] = [];
    for (const seq of this.#order)
      if (seq >= from && !fresh.has(seq)) differences.push(`message ${seq} is in the view and not in the read`);
    return [...differences, ...this.#compare(fresh)].slice(0, DIFFERENCES_MAX);
  }

  #compare(fresh: Messages): string[] {
    this.#catchUp(fresh);
    const differences: string[] = [];
    for (const [seq, message] of fresh) {
      if (seq < this.#floor || seq > this.#position) continue;
      const view = this.#messages.get(seq);
      if (view === undefined) differences.push(`message ${seq} is in the read and not in the view`);
      else if (view.asOf <= this.#position)
        differences.push(...differencesOf(view, message).map((what) => `message ${seq}: ${what}`));
    }
    return differences.slice(0, DIFFERENCES_MAX);
  }

  /** Applies later entries to the messages of a read. */
  #catchUp(fresh: Messages): void {
    const missed = this.#recent.filter(({ seq }) => [...fresh.values()].some(({ asOf }) => asOf < seq));
    if (missed.length === 0) return;
    const all: Messages = new Map();
    // Only messages of the read change. The others are copies that already include every entry.
    for (const [seq, message] of this.#messages) all.set(seq, { ...message, asOf: Number.MAX_SAFE_INTEGER });
    for (const [seq, message] of fresh) all.set(seq, message);
    for (const entry of missed) applyEntry(all, entry, this.#reader);
    for (const message of fresh.values()) message.asOf = Math.max(message.asOf, this.#position);
  }

  #isRecent(head: number): boolean {
    const oldest = this.#recent[0]?.seq;
    return head >= this.#position || (oldest !== undefined && oldest <= head + 1);
  }

  #apply(entry: Entry): void {
    applyEntry(this.#messages, entry, this.#reader);
    this.#recent.push(entry);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
  }

  #keep(message: MessageView): void {
    const { seq } = message;
    if (!this.#messages.has(seq)) {
      const index = this.#order.findLastIndex((other) => other < seq) + 1;
      this.#order.splice(index, 0, seq);
    }
    this.#messages.set(seq, message);
    while (this.#order.length > this.#messagesMax) {
      const oldest = this.#order.shift() as number;
      this.#messages.delete(oldest);
      this.#floor = oldest + 1;
    }
  }
}
