/**
 * The state of one member in one room: its view and its read position. It reports everything that
 * it sees to the room's checker.
 */
import type { Entry, JoinData, MessagesData, MyRoom, Position, ReadData, RoomEvent } from '@maru/protocol';
import type { ResumeAnswer, RoomChecker } from '@maru/testkit/checker/room-checker';
import type { RoomModel } from '@maru/testkit/checker/room-model';
import { RoomView } from '@maru/testkit/view/room-view';
import type { Look } from './work.ts';

export interface MemberRoomOptions {
  user: string;
  /** It creates the room, so it may pin, delete others' messages, and mention the room. */
  isOwner: boolean;
  checker: RoomChecker;
  /** False if it only follows the room. */
  joins: boolean;
  /** Shared by the members of the room. Others join after the owner has created it. */
  made: { done: boolean };
}

interface Counts {
  listed: MyRoom | undefined;
  model: RoomModel;
  nothingLost: boolean;
  /** See `RoomModel.countDifferences`. */
  keptFrom: number;
}

/** An owner keeps the whole room, others its newest messages. */
const OWNERS_MESSAGES_MAX = 1_000_000;
const MESSAGES_MAX = 250;

export class MemberRoom {
  readonly user: string;
  readonly isOwner: boolean;
  readonly checker: RoomChecker;
  readonly joins: boolean;
  readonly made: { done: boolean };
  readonly view: RoomView;
  /** The member follows the room, so it is in its room list. */
  follows = false;
  #read: ReadData | undefined;
  /** Used only if nothing was rolled back. */
  readonly #wentBack: string[] = [];

  constructor({ user, isOwner, checker, joins, made }: MemberRoomOptions) {
    this.user = user;
    this.isOwner = isOwner;
    this.checker = checker;
    this.joins = joins;
    this.made = made;
    this.view = new RoomView({ user, messagesMax: isOwner ? OWNERS_MESSAGES_MAX : MESSAGES_MAX });
  }

  get position(): Position | undefined {
    return this.checker.position(this.user);
  }

  /** The first join, or another join on the same connection. */
  joined(data: JoinData): void {
    const before = this.position;
    if (before !== undefined && before.epoch === data.epoch && data.head < before.seq)
      this.checker.differs(this.user, [`joined again at ${data.head}, after ${before.seq}`]);
    this.checker.joined(this.user, data);
    this.view.joined(data);
  }

  resumed(answer: ResumeAnswer): void {
    this.checker.resumed(this.user, answer);
    this.#skipToPosition();
  }

  received(entry: Entry): void {
    this.checker.received(this.user, entry);
    if (entry.epoch === this.view.epoch && entry.seq === this.view.position + 1) this.view.received(entry);
    else this.#skipToPosition();
  }

  epochChanged(event: RoomEvent & { type: 'epoch' }): void {
    this.checker.epochChanged(this.user, event);
    this.#skipToPosition();
  }

  /** The answer to a request that stores nothing. */
  looked({ event, payload }: Look, data: unknown): void {
    if (event === 'room:join') this.joined(data as JoinData);
    else if (event === 'room:read') this.readAnswered(data as ReadData, payload.seq);
    else this.readPage(data as MessagesData, payload.before);
  }

  /** `before`: the page has the messages directly below it. */
  readPage(page: MessagesData, before: number | undefined): void {
    const joins = before !== undefined && before === this.view.floor;
    const reaches = joins ? (page.hasMore ? page.messages[0]?.seq : 1) : undefined;
    this.checker.differs(this.user, this.view.read(page, reaches));
  }

  readAnswered(data: ReadData, asked: number): void {
    const known = this.#read?.seq ?? 0;
    if (data.seq < Math.max(known, asked))
      this.#wentBack.push(`the read position ${data.seq} is below ${Math.max(known, asked)}`);
    if (data.seq >= known) this.#read = data;
  }

  /** Compares with the newest messages of the quiet room: I8. */
  compare(page: MessagesData): void {
    this.checker.differs(this.user, this.view.compare(page, !page.hasMore));
  }

  /** The member's room list, or undefined if the room is not in it. */
  compareCounts({ listed, model, nothingLost, keptFrom }: Counts): void {
    if (listed === undefined) {
      if (nothingLost) this.checker.differs(this.user, ['the room is not in the list']);
      return;
    }
    const differences = model.countDifferences(this.user, listed, keptFrom);
    if (listed.head !== model.head) differences.push(`the list has the head ${listed.head}, not ${model.head}`);
    if (nothingLost) {
      differences.push(...this.#wentBack);
      const read = this.#read;
      if (read !== undefined && listed.read.seq < read.seq)
        differences.push(`the read position is ${listed.read.seq}, not ${read.seq}`);
      if (read !== undefined && read.n !== model.n(read.seq))
        differences.push(`n of the read position ${read.seq} is ${read.n}, not ${model.n(read.seq)}`);
    }
    this.checker.differs(this.user, differences);
  }

  /** The missing part of the view was declared: a gap, or a rollback. */
  #skipToPosition(): void {
    const { epoch, seq } = this.position ?? { epoch: '', seq: 0 };
    if (epoch !== this.view.epoch || seq !== this.view.position) this.view.reset(epoch, seq);
  }
}
