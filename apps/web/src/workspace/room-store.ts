/**
 * The view model of one room: what the page shows of its conversation, people and rules, and the
 * reader's actions.
 */
import type { ChatClient, ClientEvents, Scheduler } from '@maru/client';
import type { ActOutcome, Conversation, ConversationView, MessageActType } from '@maru/client/conversation';
import type { Entry, RemovalReason } from '@maru/protocol/events';
import { shutOutEntry } from '../model/act-line.ts';
import { noteActs, rollBackActs } from '../model/acts.ts';
import { Announcer, isShown } from '../model/announcer.ts';
import { noteNames } from '../model/names.ts';
import { createStore, type Store } from '../model/store.ts';
import { Entrance } from './entrance.ts';
import { emptyRoomView, type ReadingPlace, type RoomView } from './room-view.ts';
import { TypistList } from './typist-list.ts';

export interface RoomStore extends Pick<Store<RoomView>, 'get' | 'subscribe'> {
  readonly room: string;
  readonly conversation: Conversation;
  /** @throws MaruError if the text cannot be queued. */
  send(text: string, mentions: string[]): void;
  /** If the act is refused, shows the refusal until the next act. */
  note(act: MessageActType, outcome: Promise<ActOutcome | 'undone'>): void;
  dismissRefusal(): void;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  /** The last scroll position. The list component sets it. */
  place: ReadingPlace | null;
  /**
   * Joins the room if it exists, also after a removal or a refusal. `mayCreate`: the join may
   * create the room. Does nothing if the room is joined.
   */
  enter(mayCreate?: boolean): void;
  /** Creates the missing public room and joins it. */
  create(): void;
  loadOlder(): void;
  /** Like `Conversation.jumpTo`. */
  jumpTo: Conversation['jumpTo'];
  retryJump(): void;
  /** Whether the room is on the screen. Only then, presence is watched. */
  setShown(isShown: boolean): void;
  /** Whether the newest message is visible, and the window has the focus. */
  readonly isReading: boolean;
  setReading(isReading: boolean): void;
  close(): void;
}

type RoomEventName = 'room' | 'entries' | 'gap' | 'rollback' | 'presence' | 'details' | 'typing';

export interface RoomStoreOptions {
  client: ChatClient;
  /** The conversation of the room. It is closed with the store. */
  conversation: Conversation;
  ownId: string;
  scheduler: Scheduler;
  /** Whether the room is known to exist, so a join does not create it. */
  isKnown: () => boolean;
  /** Called when the store is closed. */
  leave: () => void;
}

const hasLine = ({ unreadLine, isLineAbove }: ConversationView): boolean => unreadLine !== null || isLineAbove;

export function createRoomStore(options: RoomStoreOptions): RoomStore {
  return new ClientRoomStore(options);
}

/** Its methods are bound, so components can pass them on as functions. */
class ClientRoomStore implements RoomStore {
  readonly room: string;
  readonly conversation: Conversation;
  readonly #client: ChatClient;
  readonly #ownId: string;
  readonly #scheduler: Scheduler;
  readonly #store: Store<RoomView> & { close(): void };
  readonly #unsubscribe: Array<() => void>;
  readonly #entrance: Entrance;
  readonly #leave: () => void;
  place: ReadingPlace | null = null;
  #isShown = true;
  #isReading = false;
  /** Entries up to this seq existed before the join or were missed. They are not announced. */
  #announcedSeq = Number.POSITIVE_INFINITY;
  readonly #announcer: Announcer;
  /** Entries up to this seq are marked as read. */
  #markedSeq = 0;
  #jumpedTo: Parameters<Conversation['jumpTo']>[0] = 'newest';
  readonly #typists: TypistList;

  constructor({ client, conversation, ownId, scheduler, isKnown, leave }: RoomStoreOptions) {
    this.room = conversation.room;
    this.conversation = conversation;
    this.#client = client;
    this.#ownId = ownId;
    this.#scheduler = scheduler;
    this.#store = createStore(emptyRoomView(conversation.get()), scheduler);
    this.#typists = new TypistList(scheduler, (typists) => this.#change({ typists }));
    this.#announcer = new Announcer(scheduler, ownId, (announcements) => this.#change({ announcements }));
    this.#unsubscribe = [...this.#subscribeToClient(), conversation.subscribe(() => this.#onConversation())];
    this.#leave = leave;
    this.#entrance = new Entrance({
      ...{ client, scheduler, isKnown },
      room: this.room,
      onState: (entered) => this.#change({ entered }),
    });
    this.#takeOver();
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  readonly get = () => this.#store.get();

  readonly subscribe: RoomStore['subscribe'] = (listener) => this.#store.subscribe(listener);

  readonly send = (text: string, mentions: string[]): void => {
    this.conversation.send(text, mentions.length === 0 ? {} : { mentions });
    this.#beginPause();
    this.conversation.moveLine();
    if (this.#store.get().list.hasNewer) this.jumpTo('newest');
  };

  readonly note: RoomStore['note'] = (act, sent) => {
    this.dismissRefusal();
    void sent.then((outcome) => {
      if (outcome !== 'undone' && !outcome.ok) this.#change({ refusal: { act, code: outcome.error.code } });
    });
  };

  readonly dismissRefusal = (): void => this.#change({ refusal: null });

  readonly retry = (clientMsgId: string): void => this.#client.retry(clientMsgId);

  readonly discard = (clientMsgId: string): void => this.#client.discard(clientMsgId);

  readonly enter = (mayCreate = false): void => {
    const { kind } = this.#store.get().entered;
    if (kind === 'joined' || kind === 'joining') return;
    this.#announcedSeq = Number.POSITIVE_INFINITY;
    this.#change({ acts: [], notice: null });
    this.#entrance.enter(mayCreate);
  };

  readonly create = (): void => this.#entrance.create();

  readonly setShown = (isShown: boolean): void => {
    this.#isShown = isShown;
    this.#entrance.setPresence(isShown);
    if (isShown) return;
    this.setReading(false);
    this.#announcer.clear();
  };

  readonly loadOlder = (): void => {
    this.#change({ notice: null });
    this.conversation.loadOlder();
  };

  readonly jumpTo: Conversation['jumpTo'] = (to) => {
    this.#jumpedTo = to;
    this.conversation.jumpTo(to);
  };

  readonly retryJump = (): void => this.conversation.jumpTo(this.#jumpedTo);

  readonly setReading = (isReading: boolean): void => {
    if (this.#isReading === isReading) return;
    this.#isReading = isReading;
    this.#markRead();
  };

  readonly close = (): void => {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#typists.close();
    this.#announcer.close();
    this.#entrance.close();
    this.#store.close();
    this.conversation.close();
    this.#leave();
  };

  /** Takes over the state of a room that was already joined in the background. */
  #takeOver(): void {
    const status = this.#client.status(this.room);
    if (status?.status !== 'joined') return;
    this.#announcedSeq = this.#client.position(this.room)?.seq ?? status.head;
    this.#change({ entered: { kind: 'joined' }, firstKept: status.first, details: this.#client.details(this.room) });
  }

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
    this.#markRead();
    // Messages that arrive while the reader is away are below the unread line. Messages that are
    // read at once are not.
    const isRead = this.#isReading && !list.hasNewer;
    if (isRead ? !hasLine(was) : was.unread === 0 && list.unread > 0) this.conversation.moveLine();
  }

  #markRead(): void {
    const { isReady, hasNewer, head } = this.conversation.get();
    if (!this.#isReading || !isReady || hasNewer || head <= this.#markedSeq) return;
    this.#markedSeq = head;
    this.conversation.markRead(head);
  }

  #subscribeToClient(): Array<() => void> {
    /** Events of other rooms are ignored. */
    const on = <K extends RoomEventName>(name: K, handle: (event: ClientEvents[K]) => void) =>
      this.#client.on(name, (event: ClientEvents[K]) => {
        if (event.room === this.room) handle(event);
      });
    return [
      on('room', (event) => this.#onRoom(event)),
      on('entries', ({ entries }) => this.#onEntries(entries)),
      on('gap', ({ reason }) => {
        this.#announcedSeq = Number.POSITIVE_INFINITY;
        this.#markedSeq = 0;
        this.#change(reason === 'epoch' ? { notice: 'rolled-back', acts: [] } : { notice: 'gap' });
      }),
      on('rollback', ({ head }) => {
        this.#announcedSeq = Math.min(this.#announcedSeq, head);
        this.#markedSeq = 0;
        this.#change({ acts: rollBackActs(this.#store.get().acts, head) });
      }),
      on('presence', ({ view }) => {
        const names = noteNames(this.#store.get().names, view.users?.values() ?? []);
        this.#change({ presence: view, names });
      }),
      on('details', ({ details }) => this.#change({ details })),
      on('typing', (event) => {
        if (event.user.id !== this.#ownId) this.#typists.receive(event);
      }),
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
    this.#typists.clear();
    this.#change({ entered: { kind: 'removed', reason, by }, details: null, presence: null });
  }

  #onEntries(entries: readonly Entry[]): void {
    this.#change({ acts: noteActs(this.#store.get().acts, entries) });
    this.#typists.stop(new Set(entries.map(({ from }) => from.id)));
    this.#noteLive(entries);
    if (this.#isShown) this.#announcer.note(entries, this.#announcedSeq);
    // The slice after a gap is not announced. Later entries are.
    const last = entries.at(-1);
    if (last !== undefined && this.#announcedSeq === Number.POSITIVE_INFINITY) this.#announcedSeq = last.seq;
  }

  /** Learns names, the store's clock and the end of the own pause from live entries. */
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

  #change(part: Partial<RoomView>): void {
    this.#store.set({ ...this.#store.get(), ...part });
  }
}
