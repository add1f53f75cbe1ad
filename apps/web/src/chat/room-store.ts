/**
 * The view model of one room: what the page shows of its conversation, people and rules, and the
 * reader's actions.
 */
import type { ChatClient, ClientEvents, Scheduler } from '@maru/client';
import type { ActOutcome, Conversation } from '@maru/client/conversation';
import type { Entry, RemovalReason } from '@maru/protocol/events';
import { shutOutEntry } from '../model/act-line.ts';
import { noteActs, rollBackActs } from '../model/acts.ts';
import { announcementOf, isShown } from '../model/announcement.ts';
import { noteNames } from '../model/names.ts';
import { createStore, type Store } from '../model/store.ts';
import { expireTyping, receiveTyping, stopTyping, type Typists } from '../model/typing.ts';
import { emptyRoomView, type RoomView } from './room-view.ts';

export interface RoomStore extends Pick<Store<RoomView>, 'get' | 'subscribe'> {
  readonly room: string;
  readonly conversation: Conversation;
  /** @throws MaruError if the text cannot be queued. */
  send(text: string, mentions: string[]): void;
  /** Shows the refusal, if it is one, until the next act. */
  note(act: Promise<ActOutcome>): void;
  dismissRefusal(): void;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  /** Tries again to join, after a removal or a refusal. */
  enter(): void;
  loadOlder(): void;
  /** Whether the newest message is visible. */
  setReading(isReading: boolean): void;
  close(): void;
}

export interface RoomStoreOptions {
  client: ChatClient;
  /** Of the room. It is closed with the store. */
  conversation: Conversation;
  ownId: string;
  scheduler: Scheduler;
}

export function createRoomStore(options: RoomStoreOptions): RoomStore {
  return new ClientRoomStore(options);
}

/** Its methods are bound, so that components may pass them on as functions. */
class ClientRoomStore implements RoomStore {
  readonly room: string;
  readonly conversation: Conversation;
  readonly #client: ChatClient;
  readonly #ownId: string;
  readonly #scheduler: Scheduler;
  readonly #store: Store<RoomView> & { close(): void };
  readonly #unsubscribe: Array<() => void>;
  #isReading = true;
  /** Entries up to here existed before the join or were missed. They are not announced. */
  #announcedSeq = Number.POSITIVE_INFINITY;
  #announcements = 0;
  /** Entries up to here are marked as read. */
  #markedSeq = 0;
  #cancelExpiry = () => {};

  constructor({ client, conversation, ownId, scheduler }: RoomStoreOptions) {
    this.room = conversation.room;
    this.conversation = conversation;
    this.#client = client;
    this.#ownId = ownId;
    this.#scheduler = scheduler;
    this.#store = createStore(emptyRoomView(conversation.get()), scheduler);
    this.#unsubscribe = [...this.#subscribeToClient(), conversation.subscribe(() => this.#onConversation())];
    this.enter();
  }

  readonly get = () => this.#store.get();

  readonly subscribe: RoomStore['subscribe'] = (listener) => this.#store.subscribe(listener);

  readonly send = (text: string, mentions: string[]): void => {
    this.conversation.send(text, mentions.length === 0 ? {} : { mentions });
    this.#beginPause();
    this.conversation.moveLine();
    if (this.#store.get().list.hasNewer) this.conversation.jumpTo('newest');
  };

  readonly note = (act: Promise<ActOutcome>): void => {
    this.dismissRefusal();
    void act.then((outcome) => {
      if (!outcome.ok) this.#change({ refusal: outcome.error.code });
    });
  };

  readonly dismissRefusal = (): void => this.#change({ refusal: null });

  readonly retry = (clientMsgId: string): void => this.#client.retry(clientMsgId);

  readonly discard = (clientMsgId: string): void => this.#client.discard(clientMsgId);

  readonly enter = (): void => {
    this.#announcedSeq = Number.POSITIVE_INFINITY;
    this.#change({ entered: { kind: 'joining' }, acts: [], notice: null });
    this.#client.join(this.room, { limit: 100, presence: true });
  };

  readonly loadOlder = (): void => {
    this.#change({ notice: null });
    this.conversation.loadOlder();
  };

  readonly setReading = (isReading: boolean): void => {
    if (this.#isReading === isReading) return;
    this.#isReading = isReading;
    this.#markRead();
  };

  readonly close = (): void => {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#cancelExpiry();
    this.#store.close();
    this.conversation.close();
    this.#client.leave(this.room);
  };

  #onConversation(): void {
    const was = this.#store.get().list;
    const list = this.conversation.get();
    if (list === was) return;
    const names = noteNames(
      this.#store.get().names,
      list.messages === was.messages ? [] : list.messages.map(({ from }) => from),
    );
    this.#change({ list, names });
    if (list.isReady && !was.isReady) this.conversation.loadReaders();
    // What arrives while the reader is away is below the line.
    if (!this.#isReading && was.unread === 0 && list.unread > 0) this.conversation.moveLine();
    this.#markRead();
  }

  #markRead(): void {
    const { isReady, hasNewer, head } = this.conversation.get();
    if (!this.#isReading || !isReady || hasNewer || head <= this.#markedSeq) return;
    this.#markedSeq = head;
    this.conversation.markRead(head);
  }

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
          this.#markedSeq = 0;
          this.#change(reason === 'epoch' ? { notice: 'rolled-back', acts: [] } : { notice: 'gap' });
        }),
      ),
      client.on(
        'rollback',
        ofRoom(({ head }) => {
          this.#announcedSeq = Math.min(this.#announcedSeq, head);
          this.#markedSeq = 0;
          this.#change({ acts: rollBackActs(this.#store.get().acts, head) });
        }),
      ),
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
        this.#change({ entered: { kind: 'joined' }, firstKept: event.first });
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
    const by = shutOutEntry(this.#store.get().acts, this.#ownId);
    this.#change({ entered: { kind: 'removed', reason, by }, details: null, presence: null, typists: [] });
  }

  #onEntries(entries: readonly Entry[]): void {
    this.#change({ acts: noteActs(this.#store.get().acts, entries) });
    this.#setTypists(stopTyping(this.#store.get().typists, new Set(entries.map(({ from }) => from.id))));
    this.#noteLive(entries);
    const news = { afterSeq: this.#announcedSeq, ownId: this.#ownId, id: this.#announcements + 1 };
    const announcement = announcementOf(entries, news);
    // The announcement may have the text of the deleted message.
    if (entries.some(({ type }) => type === 'message.delete')) this.#change({ announcement: null });
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
}
