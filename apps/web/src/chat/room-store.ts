/**
 * The view model of one room: listens to the client, keeps the timeline, and offers the reader's
 * actions.
 */
import type { ChatClient, ClientEvents, OutgoingMessage, PresenceView, RoomDetails, Scheduler } from '@maru/client';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { Entry, RemovalReason } from '@maru/protocol/events';
import { shutOutEntry } from '../model/act-line.ts';
import { type Announcement, announcementOf } from '../model/announcement.ts';
import { type Names, noteNames } from '../model/names.ts';
import { createStore, type Store } from '../model/store.ts';
import * as timelines from '../model/timeline.ts';
import { emptyTimeline, isShown, type Timeline } from '../model/timeline.ts';
import { expireTyping, receiveTyping, stopTyping, type Typists } from '../model/typing.ts';
import type { ClockSample } from '../model/write-gate.ts';

export type EnteredState =
  | { kind: 'joining' }
  | { kind: 'joined' }
  | { kind: 'refused'; code: ErrorCode }
  /** `by`: the act that shut the user out, if it was seen. */
  | { kind: 'removed'; reason: RemovalReason; by: Entry | null };

export interface RoomView {
  entered: EnteredState;
  timeline: Timeline;
  details: RoomDetails | null;
  names: Names;
  clock: ClockSample | null;
  /** Monotonic: in slow mode, the own next message may be sent then. */
  slowUntilMs: number;
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
  /** Tries again to join, after a removal or a refusal. */
  enter(): void;
  loadOlder(): Promise<void>;
  /** Whether the end of the list is visible. */
  setReading(isReading: boolean): void;
  close(): void;
}

const OLDER_PAGE_ENTRIES = 100;
/** The act that ends one's stay is among the newest entries. */
const ACT_ENTRIES_MAX = 50;

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
        details: null,
        names: new Map(),
        clock: null,
        slowUntilMs: 0,
        presence: null,
        typists: [],
        older: 'idle',
        announcement: null,
      },
      scheduler,
    );
    this.#unsubscribe = this.#subscribeToClient();
    for (const message of client.pending()) this.#noteOutgoing(message);
    this.enter();
  }

  readonly get = () => this.#store.get();

  readonly subscribe: RoomStore['subscribe'] = (listener) => this.#store.subscribe(listener);

  readonly send = (text: string): void => {
    this.#client.send(this.room, text);
    this.#beginPause();
    this.#changeTimeline((timeline) => ({ ...timeline, unreadFrom: null, unreadCount: 0 }));
  };

  readonly retry = (clientMsgId: string): void => this.#client.retry(clientMsgId);

  readonly discard = (clientMsgId: string): void => {
    this.#client.discard(clientMsgId);
    this.#changeTimeline((timeline) => timelines.dropOutgoing(timeline, clientMsgId));
  };

  readonly enter = (): void => {
    this.#announcedSeq = Number.POSITIVE_INFINITY;
    this.#change({ entered: { kind: 'joining' } });
    // The entries of the join do not continue those that are shown.
    this.#changeTimeline(({ outgoing }) => ({ ...emptyTimeline, outgoing }));
    this.#client.join(this.room, { limit: 100, presence: true });
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
        ofRoom(({ view }) => {
          const names = noteNames(this.#store.get().names, view.users?.values() ?? []);
          this.#change({ presence: view, names });
        }),
      ),
      client.on(
        'details',
        ofRoom(({ details }) => this.#change({ details })),
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
        this.#onRemoved(event.reason);
        return;
    }
  }

  #onRemoved(reason: RemovalReason): void {
    const by = shutOutEntry(this.#store.get().timeline.entries.slice(-ACT_ENTRIES_MAX), this.#ownId);
    this.#change({ entered: { kind: 'removed', reason, by }, details: null, presence: null, typists: [] });
  }

  #onEntries(entries: readonly Entry[]): void {
    const reader = { ownId: this.#ownId, isReading: this.#isReading };
    this.#changeTimeline((timeline) => timelines.append(timeline, entries, reader));
    this.#setTypists(stopTyping(this.#store.get().typists, new Set(entries.map(({ from }) => from.id))));
    this.#noteLive(entries);
    const news = { afterSeq: this.#announcedSeq, ownId: this.#ownId, id: this.#announcements + 1 };
    const announcement = announcementOf(entries, news);
    if (announcement !== null) {
      this.#announcements++;
      this.#change({ announcement });
    }
    // After a gap the next slice is not announced. Later entries are.
    const last = entries.at(-1);
    if (last !== undefined && this.#announcedSeq === Number.POSITIVE_INFINITY) this.#announcedSeq = last.seq;
  }

  /** Learns names, the store's clock and the own pause from entries. */
  #noteLive(entries: readonly Entry[]): void {
    const names = noteNames(
      this.#store.get().names,
      entries.map(({ from }) => from),
    );
    this.#change({ names });
    const live = entries.filter(({ seq }) => seq > this.#announcedSeq);
    const last = live.at(-1);
    if (last === undefined) return;
    this.#change({ clock: { ts: last.ts, atMs: this.#scheduler.now() } });
    if (live.some((entry) => isShown(entry) && entry.from.id === this.#ownId)) this.#beginPause();
  }

  #beginPause(): void {
    const pauseMs = (this.#store.get().details?.slowModeS ?? 0) * 1_000;
    if (pauseMs > 0) this.#change({ slowUntilMs: this.#scheduler.now() + pauseMs });
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
