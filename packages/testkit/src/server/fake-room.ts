/** One room of the fake server: its log, and its members in the order in which they joined. */
import type { Entry, Position, UserRef } from '@maru/protocol/events';
import type { Socket } from 'socket.io';
import type { RoomFault } from './planted-faults.ts';

export class FakeRoom {
  readonly id: string;
  readonly fault: RoomFault;
  epoch: string;
  members: Socket[] = [];
  readonly sent = new Map<string, { text: string; entry: Entry }>();
  #entries: Entry[] = [];

  constructor(id: string, epoch: string, fault: RoomFault) {
    this.id = id;
    this.epoch = epoch;
    this.fault = fault;
  }

  get head(): number {
    return this.#entries.length;
  }

  get state(): { epoch: string; head: number; n: number; first: number } {
    return { epoch: this.epoch, head: this.head, n: this.head, first: 1 };
  }

  get entries(): Entry[] {
    return this.#entries.map((entry) => ({ ...entry, epoch: this.epoch }));
  }

  /** The connected users, each once. */
  get users(): UserRef[] {
    return [...new Map(this.members.map(({ data }) => [data.user.id, data.user as UserRef])).values()];
  }

  newEntry(from: UserRef, clientMsgId: string, text: string): Entry {
    const { id: room, epoch } = this;
    return { room, epoch, seq: this.head + 1, ts: Date.now(), n: this.head + 1, type: 'text', from, clientMsgId, text };
  }

  store(entry: Entry): void {
    this.#entries.push(entry);
  }

  after({ seq }: Pick<Position, 'seq'>): Entry[] {
    return this.entries.slice(seq);
  }

  rollBack(head: number, epoch: string): void {
    this.#entries = this.#entries.slice(0, head);
    this.epoch = epoch;
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
