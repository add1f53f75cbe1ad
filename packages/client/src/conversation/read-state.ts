/** Read positions in one room: of the user, and of others. */
import type { ReadData, Reader, ReadPosition } from '@maru/protocol/events';
import type { ChatClient } from '../chat-client.ts';
import type { Scheduler } from '../scheduler.ts';
import { isInWindow, type RoomModel } from './model-state.ts';
import { ReadMarker } from './read-marker.ts';
import type { ConversationView, Message, MessageList } from './types.ts';

type ReadView = Pick<
  ConversationView,
  'n' | 'read' | 'unread' | 'unreadLine' | 'isLineAbove' | 'sinceLine' | 'readers'
>;

export interface ReadStateOptions {
  client: Pick<ChatClient, 'request'>;
  room: string;
  scheduler: Scheduler;
  onChange: () => void;
}

export class ReadState {
  readonly marker: ReadMarker;
  readonly #options: ReadStateOptions;
  #readers: ReadonlyMap<string, number> = new Map();
  /** The unread line follows this entry. Null until the position is known. */
  #line: ReadPosition | null = null;
  /** The number of messages in the room, according to the last answer about the position. */
  #nAtLeast = 0;

  constructor(options: ReadStateOptions) {
    this.#options = options;
    const { client, room, scheduler } = options;
    this.marker = new ReadMarker({ client, room, scheduler, onPosition: (data) => this.#onPosition(data) });
  }

  /** The entry above the line; null while it is unknown. */
  get lineSeq(): number | null {
    return this.#line?.seq ?? null;
  }

  view(modelN: number, list: Pick<MessageList, 'messages' | 'hasOlder'>, ownId: string): ReadView {
    const read = this.marker.known;
    const n = Math.max(modelN, this.#nAtLeast);
    const line = this.#line;
    const after = (position: ReadPosition | null) => (position === null ? 0 : Math.max(0, n - position.n));
    const isNew = ({ seq, from }: Message) => line !== null && seq > line.seq && from.id !== ownId;
    const [first] = list.messages;
    const isLineAbove = line !== null && list.hasOlder && first !== undefined && first.n - 1 > line.n;
    const unreadLine = isLineAbove ? null : (list.messages.find(isNew)?.seq ?? null);
    return {
      ...{ n, read, unread: after(read), readers: this.#readers },
      ...{ unreadLine, isLineAbove, sinceLine: after(line) },
    };
  }

  mark(seq: number, model: Pick<RoomModel, 'head' | 'n' | 'window'>, messages: readonly Message[]): void {
    const { head, n } = model;
    const newest = isInWindow(model, seq) ? messages.findLast((message) => message.seq <= seq) : undefined;
    this.marker.mark(seq, seq >= head && n > 0 ? n : (newest?.n ?? null));
    this.#options.onChange();
  }

  moveLine(): void {
    const { known } = this.marker;
    if (known === null || known.seq === this.#line?.seq) return;
    this.#line = known;
    this.#options.onChange();
  }

  loadReaders(): void {
    const { client, room } = this.#options;
    client.request('room:readers', { room }).then(
      ({ readers }) => this.noteReaders(readers),
      // A larger room has no readers.
      () => {},
    );
  }

  noteReaders(readers: readonly Reader[]): void {
    const next = new Map(this.#readers);
    for (const { user, seq } of readers) next.set(user, Math.max(seq, next.get(user) ?? 0));
    this.#readers = next;
    this.#options.onChange();
  }

  /** The log is read again, so the known state may be invalid. */
  restart(): void {
    this.#nAtLeast = 0;
    this.marker.forget();
  }

  #onPosition(data: ReadData): void {
    this.#line ??= { seq: data.seq, n: data.n };
    this.#nAtLeast = Math.max(this.#nAtLeast, data.n + data.unread);
    this.#options.onChange();
  }
}
