/** The model of one room: gives it what the client delivers, sends its reads, and shows it. */
import type { Entry } from '@maru/protocol/events';
import { changeOf } from '../acts.ts';
import type { ChatClient } from '../chat-client.ts';
import type { ClientEvents, OutgoingMessage } from '../events.ts';
import type { Scheduler } from '../scheduler.ts';
import { Drafts } from './drafts.ts';
import { HostPages } from './host-pages.ts';
import type { ModelInput, Read, RoomModel } from './model-state.ts';
import { OpenParts } from './open-parts.ts';
import { dropArrived, dropStored, noteOutgoing, without } from './outgoing-list.ts';
import { OwnActs } from './own-acts.ts';
import { ReadQueue } from './read-queue.ts';
import { ReadState } from './read-state.ts';
import { neededReads, newModel, stepModel } from './room-model.ts';
import { MessageCache, pinsView, threadView, type ViewParts, windowView } from './room-view.ts';
import type { Conversation, ConversationView, DraftOf, Message, Pins, PinsView, Thread, ThreadView } from './types.ts';

const ONLINE: ReadonlySet<string> = new Set(['connected', 'degraded']);

export interface ConversationOptions {
  client: ChatClient;
  room: string;
  scheduler: Scheduler;
  onClose: () => void;
}

/** Its methods are bound, so that hosts may pass them on as functions. */
export class RoomConversation implements Conversation {
  readonly room: string;
  readonly #client: ChatClient;
  readonly #onClose: () => void;
  readonly #queue: ReadQueue;
  readonly #reading: ReadState;
  readonly #unsubscribe: Array<() => void>;
  readonly #listeners = new Set<() => void>();
  readonly #acts: OwnActs;
  readonly #cache = new MessageCache();
  readonly #drafts = new Drafts();
  readonly #pages = new HostPages();
  readonly #parts = new OpenParts();
  #model: RoomModel;
  #outgoing: readonly OutgoingMessage[];
  #views = new Map<number | 'pins' | 'room', ConversationView | ThreadView | PinsView>();
  #isPumping = false;
  #holders = 0;
  #isClosed = false;

  constructor({ client, room, scheduler, onClose }: ConversationOptions) {
    this.room = room;
    this.#client = client;
    this.#onClose = onClose;
    this.#model = newModel(client.user?.id ?? '');
    this.#outgoing = client.pending().filter((message) => message.room === room);
    this.#queue = new ReadQueue({
      ...{ client, room, scheduler },
      needed: () => this.#needed(),
      onAsked: () => {
        this.#step({ type: 'asked' });
        return this.#model;
      },
      onAnswer: (answer) => {
        const before = this.#model;
        this.#pages.ended(answer.read, null);
        this.#step({ type: 'answered', ...answer });
        return this.#model.messages !== before.messages || this.#model.threads !== before.threads;
      },
      onFailed: ({ generation, read, error }) => {
        this.#pages.ended(read, error);
        if (read.kind === 'one' && error.code === 'not_found')
          this.#step({ type: 'missing', generation, seq: read.seq });
        else this.#step({ type: 'failed', generation });
      },
    });
    this.#acts = new OwnActs({ client, room, onChange: () => this.#changed() });
    this.#reading = new ReadState({ client, room, onChange: () => this.#changed() });
    this.#unsubscribe = this.#subscribeToClient();
    this.#pumpSoon();
  }

  readonly get = (): ConversationView =>
    this.#view('room', (parts): ConversationView => {
      const { head, n, ownId } = parts.model;
      const list = windowView(parts);
      return { ...list, head, ...this.#reading.view(n, list.messages, ownId) };
    });

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly message = (seq: number): Message | null => this.#cache.get(this.#model, this.#acts.overlay, seq);

  readonly send: Conversation['send'] = (text, options) => this.#client.send(this.room, text, options);

  readonly edit: Conversation['edit'] = (seq, text, options) => this.#acts.act({ type: 'edit', seq, text, ...options });

  readonly delete: Conversation['delete'] = (seq, reason) =>
    this.#acts.act({ type: 'delete', seq, ...(reason === undefined ? {} : { reason }) });

  readonly react: Conversation['react'] = (seq, emoji, active) => this.#acts.act({ type: 'react', seq, emoji, active });

  readonly pin: Conversation['pin'] = (seq, active) => this.#acts.act({ type: 'pin', seq, active });

  readonly loadOlder = (): void => {
    const { window } = this.#model;
    if (window?.hasOlder) this.#load({ kind: 'older', seq: window.from });
  };

  readonly loadNewer = (): void => {
    const to = this.#model.window?.to ?? null;
    if (to !== null) this.#load({ kind: 'newer', seq: to });
  };

  readonly jumpTo = (to: number | 'newest'): void => {
    const { window } = this.#model;
    if (to === 'newest' && window !== null && window.to === null) return;
    this.#step({ type: 'jump', to });
  };

  readonly thread = (root: number): Thread => {
    const close = this.#parts.open(root, {
      first: () => this.#step({ type: 'open-thread', root }),
      last: () => this.#step({ type: 'close-thread', root }),
    });
    return {
      root,
      get: () => this.#view(root, (parts) => threadView(parts, root)),
      subscribe: this.subscribe,
      loadOlder: () => {
        const slice = this.#model.threads.get(root)?.slice;
        if (slice?.hasOlder) this.#load({ kind: 'thread', root, before: slice.from });
      },
      send: (text, options) => this.send(text, { ...options, thread: root }),
      close,
    };
  };

  readonly pins = (): Pins => {
    const close = this.#parts.open('pins', {
      first: () => this.#step({ type: 'open-pins' }),
      last: () => this.#step({ type: 'close-pins' }),
    });
    return { get: () => this.#view('pins', pinsView), subscribe: this.subscribe, close };
  };

  readonly markRead = (seq: number): void => {
    const { head, n, window } = this.#model;
    const newest = this.get().messages.findLast((message) => message.seq <= seq);
    const isCovered = window !== null && seq >= window.from && (window.to === null || seq <= window.to);
    this.#reading.marker.mark(seq, seq >= head && n > 0 ? n : isCovered ? (newest?.n ?? null) : null);
    this.#changed();
  };

  readonly moveLine = (): void => this.#reading.moveLine();

  readonly loadReaders = (): void => this.#reading.loadReaders();

  readonly draft = (of: DraftOf): string => this.#drafts.get(of);

  readonly setDraft = (of: DraftOf, text: string): void => this.#drafts.set(of, text);

  /** Each holder closes it. */
  hold(): this {
    this.#holders++;
    return this;
  }

  readonly close = (): void => {
    if (--this.#holders === 0) this.end();
  };

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#queue.close();
    this.#reading.marker.close();
    this.#listeners.clear();
    this.#acts.close();
    this.#onClose();
  }

  #subscribeToClient(): Array<() => void> {
    const client = this.#client;
    const on = <
      K extends 'entries' | 'gap' | 'rollback' | 'outgoing' | 'discarded' | 'act' | 'receipt' | 'inbox' | 'room',
    >(
      name: K,
      handle: (event: ClientEvents[K]) => void,
    ) =>
      client.on(name, (event) => {
        if (event.room === this.room) handle(event);
      });
    return [
      on('entries', ({ entries, readAt }) => this.#onEntries(entries, readAt)),
      on('gap', () => this.#onRestart({ type: 'gap' })),
      on('rollback', ({ epoch, head }) => this.#onRestart({ type: 'rollback', epoch, head })),
      on('outgoing', (message) => this.#setOutgoing(noteOutgoing(this.#outgoing, message, this.#model.position))),
      on('discarded', ({ clientMsgId }) => this.#setOutgoing(without(this.#outgoing, clientMsgId))),
      on('act', (act) => this.#acts.onAct(act, this.#model)),
      on('receipt', ({ readers }) => this.#reading.noteReaders(readers)),
      on('inbox', (event) => {
        if (event.type === 'read') this.#reading.marker.note(event);
      }),
      on('room', ({ status }) => {
        if (status === 'joined') this.#pumpSoon();
      }),
      client.on('session', ({ user }) => {
        if (this.#model.ownId !== user.id) this.#model = { ...this.#model, ownId: user.id };
        this.#queue.restart();
        this.#reading.marker.restart();
        this.#pumpSoon();
      }),
    ];
  }

  #setOutgoing(outgoing: readonly OutgoingMessage[]): void {
    this.#outgoing = outgoing;
    this.#changed();
  }

  #onEntries(entries: readonly Entry[], readAt: number | undefined): void {
    this.#outgoing = dropArrived(this.#outgoing, entries, this.#model.ownId);
    for (const entry of entries) {
      const change = changeOf(entry);
      if (change?.type === 'message.delete') this.#drafts.set({ edit: change.seq }, '');
    }
    this.#step({ type: 'entries', entries, readAt });
  }

  #onRestart(input: Extract<ModelInput, { type: 'gap' | 'rollback' }>): void {
    this.#outgoing = dropStored(this.#outgoing);
    this.#pages.clear();
    this.#reading.restart();
    this.#step(input);
  }

  #load(read: Read): void {
    if (!this.#pages.want(read)) return;
    this.#queue.pump();
    this.#changed();
  }

  #needed(): Array<{ read: Read; isLazy: boolean }> {
    return [...this.#pages.wanted.map((read) => ({ read, isLazy: false })), ...neededReads(this.#model)];
  }

  #step(input: ModelInput): void {
    this.#model = stepModel(this.#model, input);
    this.#acts.onModel(this.#model);
    this.#cache.keepOnly(this.#model);
    this.#pumpSoon();
    this.#changed();
  }

  /** Not at once: the client delivers what belongs together in several events. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      if (this.#isClosed || !ONLINE.has(this.#client.connection.state)) return;
      const at = this.#client.position(this.room);
      if (at !== null && this.#model.position === null) this.#step({ type: 'at', ...at });
      if (this.#model.position !== null) this.#reading.marker.learn();
      this.#queue.pump();
    });
  }

  #changed(): void {
    this.#views.clear();
    for (const listener of [...this.#listeners]) listener();
  }

  /** The same object until something changes. */
  #view<V extends ConversationView | ThreadView | PinsView>(
    of: number | 'pins' | 'room',
    build: (parts: ViewParts) => V,
  ): V {
    const known = this.#views.get(of);
    if (known !== undefined) return known as V;
    const view = build({
      model: this.#model,
      overlay: this.#acts.overlay,
      cache: this.#cache,
      outgoing: this.#outgoing,
      pages: this.#pages,
    });
    this.#views.set(of, view);
    return view;
  }
}
