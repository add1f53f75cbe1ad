/** Who has read how far in one room: the user, and others. */
import type { ReadData, Reader, ReadPosition } from '@maru/protocol/events';
import type { ChatClient } from '../chat-client.ts';
import { ReadMarker } from './read-marker.ts';
import type { ConversationView, Message } from './types.ts';

export interface ReadStateOptions {
  client: Pick<ChatClient, 'request'>;
  room: string;
  onChange: () => void;
}

export class ReadState {
  readonly marker: ReadMarker;
  readonly #options: ReadStateOptions;
  #readers: ReadonlyMap<string, number> = new Map();
  /** The line above unread messages follows this entry; null until the position is known. */
  #lineSeq: number | null = null;
  /** Messages of the room, as the last answer about the position said. */
  #nAtLeast = 0;

  constructor(options: ReadStateOptions) {
    this.#options = options;
    const { client, room } = options;
    this.marker = new ReadMarker({ client, room, onPosition: (data) => this.#onPosition(data) });
  }

  view(
    modelN: number,
    messages: readonly Message[],
    ownId: string,
  ): Pick<ConversationView, 'n' | 'read' | 'unread' | 'unreadLine' | 'readers'> {
    const read: ReadPosition | null = this.marker.known;
    const n = Math.max(modelN, this.#nAtLeast);
    const line = this.#lineSeq;
    const isNew = ({ seq, from }: Message) => line !== null && seq > line && from.id !== ownId;
    const unreadLine = messages.find(isNew)?.seq ?? null;
    return { n, read, unread: read === null ? 0 : Math.max(0, n - read.n), unreadLine, readers: this.#readers };
  }

  moveLine(): void {
    this.#lineSeq = this.marker.known?.seq ?? null;
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

  /** The log is read anew: what was known of it may not hold. */
  restart(): void {
    this.#nAtLeast = 0;
    this.marker.forget();
  }

  #onPosition(data: ReadData): void {
    this.#lineSeq ??= data.seq;
    this.#nAtLeast = Math.max(this.#nAtLeast, data.n + data.unread);
    this.#options.onChange();
  }
}
