/**
 * The knowledge of one member about the conversation in a room: its view, its read position, and
 * which acts were refused because their message was deleted. At the end it compares all of that
 * with fresh reads (I8). It runs on Node and in k6.
 */
import type { ClientRequests, Entry, JoinData, MessagesData, ReadData } from '@maru/protocol/events';
import type { Arrival } from '../checker/member-log.ts';
import { MENTION_ROOM, type MessageView } from '../view/message-view.ts';
import { RoomView } from '../view/room-view.ts';

/** Acts of a client on a message: the data of the requests, without room and id. */
type ActName = 'message:edit' | 'message:delete' | 'message:react' | 'message:pin';
export type ActRequest = {
  [N in ActName]: { event: N; data: Omit<ClientRequests[N][0], 'room' | 'clientMsgId'> };
}[ActName];

export interface ConversationCounts {
  /** Messages whose view differs from a fresh read. */
  viewsDiffering: number;
  /** Wrong counts of unread messages and mentions, and read positions that went back. */
  countsWrong: number;
  /** Acts that were refused as `not_found` although the message exists. */
  actsRefused: number;
}

export const NO_CONVERSATION_FAULTS: Readonly<ConversationCounts> = {
  viewsDiffering: 0,
  countsWrong: 0,
  actsRefused: 0,
};

export class Conversation {
  readonly view: RoomView;
  /** A short description for a log. */
  readonly differences: string[] = [];
  readonly #user: string;
  readonly #notFound = new Set<number>();
  readonly #counts = { ...NO_CONVERSATION_FAULTS };
  #newest = { seq: 0, n: 0 };
  /** The highest acknowledged position, and the highest requested one. */
  #read = { seq: 0, n: 0 };
  #asked = { seq: 0, n: 0 };

  constructor(user: string, joined: JoinData) {
    this.#user = user;
    this.view = new RoomView({ user });
    this.view.joined(joined);
    this.#newest = { seq: joined.head, n: joined.n };
  }

  get newest(): Readonly<{ seq: number; n: number }> {
    return this.#newest;
  }

  /** `arrival`: the classification of the entry by the member's log. */
  received(entry: Entry, arrival: Arrival): void {
    if (arrival === 'in_order') this.view.received(entry);
    // The log counts this fault. The view's knowledge is no longer complete.
    else if (entry.seq > this.view.position || arrival === 'foreign') this.reset(entry.epoch, entry.seq);
    if (entry.seq > this.#newest.seq) this.#newest = { seq: entry.seq, n: entry.n };
  }

  reset(epoch: string, head: number): void {
    if (epoch !== this.view.epoch) {
      this.#read = { seq: 0, n: 0 };
      this.#asked = { seq: 0, n: 0 };
      this.#newest = { seq: 0, n: 0 };
      this.#notFound.clear();
    }
    this.view.reset(epoch, head);
  }

  actRefused(seq: number): void {
    this.#notFound.add(seq);
  }

  asksRead(): number {
    this.#asked = this.#newest;
    return this.#asked.seq;
  }

  /** `asked`: the position in the request. */
  readAnswered({ seq, n }: ReadData, asked: number): void {
    if (seq < asked || seq < this.#read.seq) this.#wrong(`the read position ${seq} went back from ${asked}`);
    if (seq >= this.#read.seq) this.#read = { seq, n };
  }

  /** Compares with the newest messages of the quiet room. */
  compare(page: MessagesData): void {
    const differences = this.view.compare(page, !page.hasMore);
    this.#counts.viewsDiffering += differences.length;
    this.differences.push(...differences);
  }

  /** Compares with the position on the server. */
  compareCounts({ seq, n, unread, mentions }: ReadData): void {
    const { view } = this;
    if (seq < this.#read.seq) this.#wrong(`the read position is ${seq}, not ${this.#read.seq}`);
    // Another client of the same user may have read further.
    for (const known of [this.#asked, this.#read])
      if (seq === known.seq && n !== known.n) this.#wrong(`n of the read position ${seq} is ${n}, not ${known.n}`);
    if (unread !== this.#newest.n - n) this.#wrong(`unread is ${unread}, not ${this.#newest.n - n}`);
    if (view.floor > seq + 1) return;
    const mentioned = [...view.newest()].filter((message) => message.seq > seq && this.#isMentioned(message)).length;
    if (mentions !== mentioned) this.#wrong(`mentions are ${mentions}, not ${mentioned}`);
  }

  finish(): ConversationCounts {
    for (const seq of this.#notFound) {
      const message = this.view.get(seq);
      if (message === undefined || message.deleted !== undefined) continue;
      this.#counts.actsRefused++;
      this.differences.push(`an act on ${seq} was refused, and the message is there`);
    }
    return this.#counts;
  }

  #isMentioned({ mentions, from, deleted }: MessageView): boolean {
    if (deleted !== undefined || from === this.#user) return false;
    return mentions.includes(this.#user) || mentions[0] === MENTION_ROOM;
  }

  #wrong(what: string): void {
    this.#counts.countsWrong++;
    this.differences.push(what);
  }
}
