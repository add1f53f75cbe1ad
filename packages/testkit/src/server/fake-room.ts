/** One room of the fake server: its log, and its members in the order in which they joined. */
import type { Entry, Position, ReadData, UserRef } from '@maru/protocol/events';
import type { Socket } from 'socket.io';
import { FakeConversation } from './fake-conversation.ts';
import type { RoomFault } from './planted-faults.ts';

export class FakeRoom {
  readonly id: string;
  readonly fault: RoomFault;
  epoch: string;
  members: Socket[] = [];
  /** Stored messages by user and `clientMsgId`. */
  readonly sent = new Map<string, { content: string; entry: Entry }>();
  readonly #entries: Entry[] = [];
  readonly conversation: FakeConversation = new FakeConversation(this.#entries);

  constructor(id: string, epoch: string, fault: RoomFault) {
    this.id = id;
    this.epoch = epoch;
    this.fault = fault;
  }

  get head(): number {
    return this.#entries.length;
  }

  get state(): { epoch: string; head: number; n: number; first: number } {
    return { epoch: this.epoch, head: this.head, n: this.#n, first: 1 };
  }

  /** In their original form. */
  get entries(): Entry[] {
    return this.#entries.map((entry) => ({ ...entry, epoch: this.epoch }));
  }

  /** The connected users, each once. */
  get users(): UserRef[] {
    return [...new Map(this.members.map(({ data }) => [data.user.id, data.user as UserRef])).values()];
  }

  /** Creates a message. */
  newEntry(from: UserRef, clientMsgId: string, text: string, more: Partial<Entry> = {}): Entry {
    return { ...this.newAct(from, clientMsgId, 'text', more), n: this.#n + 1, text };
  }

  newAct(from: UserRef, clientMsgId: string, type: string, more: Partial<Entry>): Entry {
    const { id: room, epoch } = this;
    return { room, epoch, seq: this.head + 1, ts: Date.now(), n: this.#n, type, from, clientMsgId, ...more };
  }

  /** The entries in their current form for a reader. */
  entriesFor(reader: string): Entry[] {
    return this.entries.map((entry) => this.fault.read(this.conversation.asNow(entry, reader)));
  }

  /** Moves a user's read position. */
  read(user: string, seq: number): ReadData {
    return this.fault.counts(this.conversation.read(user, seq));
  }

  store(entry: Entry): void {
    this.#entries.push(entry);
  }

  after({ seq }: Pick<Position, 'seq'>): Entry[] {
    return this.entries.slice(seq);
  }

  rollBack(head: number, epoch: string): void {
    this.#entries.length = head;
    this.epoch = epoch;
  }

  get #n(): number {
    return this.#entries.at(-1)?.n ?? 0;
  }

  add(member: Socket): void {
    if (!this.members.includes(member)) this.members.push(member);
  }

  remove(member: Socket): void {
    this.members = this.members.filter((other) => other !== member);
  }

  emit(event: string, payload: unknown, except?: Socket): void {
    for (const member of this.members) if (member !== except) member.emit(event, payload);
  }
}
