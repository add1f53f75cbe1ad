/**
 * The view model of one room: listens to the client, keeps the timeline, and offers the reader's
 * actions.
 */
import type { ChatClient, ClientEvents, OutgoingMessage, PresenceView, Scheduler } from '@maru/client';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { Entry } from '@maru/protocol/events';
import { createStore, type Store } from '../model/store.ts';
import * as timelines from '../model/timeline.ts';
import { emptyTimeline, isShown, type Timeline } from '../model/timeline.ts';
import { expireTyping, receiveTyping, stopTyping, type Typists } from '../model/typing.ts';

export type EnteredState =
  | { kind: 'joining' }
  | { kind: 'joined' }
  | { kind: 'refused'; code: ErrorCode }
  | { kind: 'removed' };

/** What a screen reader announces: the newest messages at the end of the list. */
export type Announcement = { id: number } & (
  | { kind: 'message'; name: string; text: string }
  | { kind: 'many'; count: number }
);

export interface RoomView {
  entered: EnteredState;
  timeline: Timeline;
  presence: PresenceView | null;
  typists: Typists;
  older: 'idle' | 'loading' | 'failed';
  announcement: Announcement | null;
}

export interface RoomStore extends Pick<Store<RoomView>, 'get' | 'subscribe'> {
  readonly room: string;
  /** @throws MaruError if the text cannot be queued. */
  send(text: string): void;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  loadOlder(): Promise<void>;
  /** Whether the end of the list is visible. */
  setReading(isReading: boolean): void;
  close(): void;
}

const OLDER_PAGE_ENTRIES = 100;
/** Above this number, the count is announced instead of the texts. */
const ANNOUNCED_MESSAGES_MAX = 3;

export interface RoomStoreOptions {
  client: ChatClient;
  room: string;
  ownId: string;
  scheduler: Scheduler;
}

export function createRoomStore(options: RoomStoreOptions): RoomStore {
  return new ClientRoomStore(options);
}

/** Its methods are bound, so that components may pass them on as functions. */
class ClientRoomStore implements RoomStore {
  readonly room: string;
  readonly #client: ChatClient;
  readonly #ownId: string;
  readonly #scheduler: Scheduler;
  readonly #store: Store<RoomView> & { close(): void };
  readonly #unsubscribe: Array<() => void>;
  #isReading = true;
  /** Entries up to here existed before the join or were missed. They are not announced. */
  #announcedSeq = Number.POSITIVE_INFINITY;
  #announcements = 0;
  #cancelExpiry = () => {};

  constructor({ client, room, ownId, scheduler }: RoomStoreOptions) {
    this.room = room;
    this.#client = client;
    this.#ownId = ownId;
    this.#scheduler = scheduler;
    this.#store = createStore<RoomView>(
      {
        entered: { kind: 'joining' },
        timeline: emptyTimeline,
        presence: null,
        typists: [],
        older: 'idle',
        announcement: null,
      },
      scheduler,
    );
    this.#unsubscribe = this.#subscribeToClient();
    for (const message of client.pending()) this.#noteOutgoing(message);
    client.join(room, { limit: 100, presence: true });
  }

  readonly get = () => this.#store.get();

  readonly subscribe: RoomStore['subscribe'] = (listener) => this.#store.subscribe(listener);

  readonly send = (text: string): void => {
    this.#client.send(this.room, text);
    this.#changeTimeline((timeline) => ({ ...timeline, unreadFrom: null, unreadCount: 0 }));
  };

  readonly retry = (clientMsgId: string): void => this.#client.retry(clientMsgId);

  readonly discard = (clientMsgId: string): void => {
    this.#client.discard(clientMsgId);
    this.#changeTimeline((timeline) => timelines.dropOutgoing(timeline, clientMsgId));
  };

  readonly loadOlder = async (): Promise<void> => {
    const { timeline, older } = this.#store.get();
    const oldest = timeline.entries[0];
    if (older === 'loading' || oldest === undefined || timelines.olderState(timeline) !== 'more') return;
    this.#change({ older: 'loading' });
    try {
      // Entries that survived a rollback keep their old epoch here, so the request uses the newest
      // entry's epoch.
      const epoch = timeline.entries.at(-1)?.epoch ?? oldest.epoch;
      const request = { room: this.room, before: oldest.seq, limit: OLDER_PAGE_ENTRIES, epoch };
      const page = await this.#client.readHistory(request);
      this.#changeTimeline((now) => timelines.prepend(now, page));
      this.#change({ older: 'idle' });
    } catch (error) {
      // The reader sees the failure and can press again.
      if (!(error instanceof MaruError)) throw error;
      this.#change({ older: 'failed' });
    }
  };

  readonly setReading = (isReading: boolean): void => {
    this.#isReading = isReading;
    if (isReading) this.#changeTimeline(timelines.readToEnd);
  };

  readonly close = (): void => {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#cancelExpiry();
    this.#store.close();
    this.#client.leave(this.room);
  };

  #subscribeToClient(): Array<() => void> {
    const client = this.#client;
    /** Events of other rooms are ignored. */
    const ofRoom =
      <T extends { room: string }>(handle: (event: T) => void) =>
      (event: T) => {
        if (event.room === this.room) handle(event);
      };
    return [
      client.on(
        'room',
        ofRoom((event) => this.#onRoom(event)),
      ),
      client.on(
        'entries',
        ofRoom(({ entries }) => this.#onEntries(entries)),
      ),
      client.on(
        'gap',
        ofRoom(({ reason }) => {
          this.#announcedSeq = Number.POSITIVE_INFINITY;
          this.#changeTimeline((timeline) => timelines.breakOff(timeline, reason === 'epoch' ? 'rolled-back' : 'gap'));
        }),
      ),
      client.on(
        'rollback',
        ofRoom(({ head }) => {
          this.#announcedSeq = Math.min(this.#announcedSeq, head);
          this.#changeTimeline((timeline) => timelines.rollBack(timeline, head));
        }),
      ),
      client.on('outgoing', (message) => this.#noteOutgoing(message)),
      client.on(
        'presence',
        ofRoom(({ view }) => this.#change({ presence: view })),
      ),
      client.on(
        'typing',
        ofRoom((event) => {
          if (event.user.id === this.#ownId) return;
          this.#setTypists(receiveTyping(this.#store.get().typists, event, this.#scheduler.now()));
        }),
      ),
    ];
  }

  #onRoom(event: ClientEvents['room']): void {
    switch (event.status) {
      case 'joining':
        return;
      case 'joined':
        this.#announcedSeq = event.head;
        this.#changeTimeline((timeline) => ({ ...timeline, firstKept: event.first }));
        this.#change({ entered: { kind: 'joined' } });
        return;
      case 'refused':
        this.#change({ entered: { kind: 'refused', code: event.error.code } });
        return;
      case 'removed':
        this.#change({ entered: { kind: 'removed' }, presence: null, typists: [] });
        return;
    }
  }

  #onEntries(entries: readonly Entry[]): void {
    const reader = { ownId: this.#ownId, isReading: this.#isReading };
    this.#changeTimeline((timeline) => timelines.append(timeline, entries, reader));
    this.#setTypists(stopTyping(this.#store.get().typists, new Set(entries.map(({ from }) => from.id))));
    const announcement = this.#announcementOf(entries);
    if (announcement !== null) this.#change({ announcement });
    // After a gap the next slice is not announced. Later entries are.
    const last = entries.at(-1);
    if (last !== undefined && this.#announcedSeq === Number.POSITIVE_INFINITY) this.#announcedSeq = last.seq;
  }

  #announcementOf(entries: readonly Entry[]): Announcement | null {
    const isNews = (entry: Entry) => entry.seq > this.#announcedSeq && isShown(entry) && entry.from.id !== this.#ownId;
    const news = entries.filter(isNews);
    const last = news.at(-1);
    if (last === undefined) return null;
    const id = ++this.#announcements;
    if (news.length > ANNOUNCED_MESSAGES_MAX) return { id, kind: 'many', count: news.length };
    return { id, kind: 'message', name: last.from.name, text: last.text ?? '' };
  }

  #noteOutgoing(message: OutgoingMessage): void {
    if (message.room === this.room) this.#changeTimeline((timeline) => timelines.noteOutgoing(timeline, message));
  }

  #setTypists(typists: Typists): void {
    this.#change({ typists });
    this.#cancelExpiry();
    const nextMs = Math.min(...typists.map(({ untilMs }) => untilMs));
    if (typists.length === 0) return;
    this.#cancelExpiry = this.#scheduler.after(Math.max(1, nextMs - this.#scheduler.now()), () =>
      this.#setTypists(expireTyping(this.#store.get().typists, this.#scheduler.now())),
    );
  }

  #change(part: Partial<RoomView>): void {
    this.#store.set({ ...this.#store.get(), ...part });
  }

  #changeTimeline(to: (timeline: Timeline) => Timeline): void {
    this.#change({ timeline: to(this.#store.get().timeline) });
  }
}
