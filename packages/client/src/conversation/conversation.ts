/** The model of one room: passes client events to it, sends its reads, and provides views. */
import type { Entry } from '@maru/protocol/events';
import type { ChatClient } from '../chat-client.ts';
import { hasSession } from '../connection-state.ts';
import type { OutgoingMessage } from '../events.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Drafts } from './drafts.ts';
import { HeldDeletions } from './held-deletions.ts';
import { HostPages } from './host-pages.ts';
import type { ModelInput, Read, RoomModel } from './model-state.ts';
import { OpenParts } from './open-parts.ts';
import { dropArrived, dropStored, noteOutgoing, without } from './outgoing-list.ts';
import { OwnActs } from './own-acts.ts';
import { readOutcomes } from './read-outcomes.ts';
import { ReadQueue } from './read-queue.ts';
import { ReadState } from './read-state.ts';
import { eventsOf } from './room-events.ts';
import { neededReads, newModel, stepModel } from './room-model.ts';
import {
  type AnyView,
  MessageCache,
  pinsView,
  threadView,
  ViewCache,
  type ViewOf,
  type ViewParts,
  windowView,
} from './room-view.ts';
import type { Conversation, ConversationView, DraftOf, Message, Pins, Thread } from './types.ts';

export interface ConversationOptions {
  client: ChatClient;
  room: string;
  drafts: Drafts;
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
  readonly #held: HeldDeletions;
  readonly #cache = new MessageCache();
  readonly #drafts: Drafts;
  readonly #pages = new HostPages();
  readonly #parts = new OpenParts();
  #model: RoomModel;
  #outgoing: readonly OutgoingMessage[];
  readonly #views = new ViewCache();
  #isPumping = false;
  #holders = 0;
  #isClosed = false;

  constructor({ client, room, drafts, scheduler, onClose }: ConversationOptions) {
    this.room = room;
    this.#client = client;
    this.#drafts = drafts;
    this.#onClose = onClose;
    this.#model = newModel(client.user?.id ?? '');
    this.#outgoing = client.pending().filter((message) => message.room === room);
    const outcomes = readOutcomes({
      pages: this.#pages,
      model: () => this.#model,
      step: (input) => this.#step(input),
      hasSession: () => hasSession(client.connection),
    });
    this.#queue = new ReadQueue({
      ...{ client, room, scheduler },
      needed: () => this.#needed(),
      onAsked: () => {
        this.#step({ type: 'asked' });
        return this.#model;
      },
      onAnswer: (answer) => {
        this.#drafts.forgetDeleted(this.room, answer.data.messages);
        return outcomes.onAnswer(answer);
      },
      onFailed: outcomes.onFailed,
    });
    this.#acts = new OwnActs({ client, room, drafts, onChange: () => this.#changed() });
    this.#held = new HeldDeletions(this.#acts, scheduler);
    this.#reading = new ReadState({ client, room, scheduler, onChange: () => this.#changed() });
    this.#unsubscribe = this.#subscribeToClient();
    this.#pumpSoon();
  }

  readonly get = (): ConversationView =>
    this.#view('room', (parts): ConversationView => {
      const { head, n, ownId } = parts.model;
      const list = windowView(parts);
      return { ...list, head, ...this.#reading.view(n, list, ownId) };
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
  readonly deleteLater: Conversation['deleteLater'] = (seq, afterMs) => this.#held.hold(seq, afterMs);
  readonly undoDelete = (seq: number): void => this.#held.undo(seq);
  readonly sendHeld = (): void => this.#held.sendAll();
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

  readonly jumpTo: Conversation['jumpTo'] = (to) => {
    this.#pages.forgetError('jump');
    const { lineSeq } = this.#reading;
    if (to !== 'unread') this.#step({ type: 'jump', to });
    else if (lineSeq !== null) this.#step({ type: 'jump', to: { after: lineSeq } });
  };

  readonly dismissJump = (): void => {
    this.#pages.forgetError('jump');
    this.#changed();
  };

  readonly look: Conversation['look'] = (at, isAtEnd): void => {
    const { window } = this.#model;
    this.#model = stepModel(this.#model, { type: 'look', at, isAtEnd });
    // Otherwise the shown part has not changed.
    if (this.#model.window !== window) this.#changed();
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
    this.#reading.mark(seq, this.#model, this.get().messages);
  };

  readonly moveLine = (): void => this.#reading.moveLine();
  readonly loadReaders = (): void => this.#reading.loadReaders();

  readonly draft = (of: DraftOf): string => this.#drafts.get(this.room, of);
  readonly setDraft = (of: DraftOf, text: string): void => this.#drafts.set(this.room, of, text);

  /** Each holder must close it. */
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
    this.#held.close();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#queue.close();
    this.#reading.marker.close();
    this.#listeners.clear();
    this.#acts.close();
    this.#onClose();
  }

  #subscribeToClient(): Array<() => void> {
    const client = this.#client;
    const on = eventsOf(client, this.room);
    return [
      on('entries', ({ entries, readAt }) => this.#onEntries(entries, readAt)),
      on('gap', () => this.#onRestart({ type: 'gap' })),
      on('rollback', ({ epoch, head }) => this.#onRestart({ type: 'rollback', epoch, head })),
      on('outgoing', (message) => this.#setOutgoing(noteOutgoing(this.#outgoing, message, this.#model))),
      on('discarded', ({ clientMsgId }) => this.#setOutgoing(without(this.#outgoing, clientMsgId))),
      on('act', (act) => this.#acts.onAct(act, this.#model)),
      this.#drafts.onTaken(() => this.#changed()),
      on('receipt', ({ readers }) => this.#reading.noteReaders(readers)),
      on('inbox', (event) => {
        if (event.type === 'read') this.#reading.marker.note(event);
      }),
      on('room', ({ status }) => {
        if (status === 'joined') this.#pumpSoon();
      }),
      client.on('session', ({ user }) => {
        if (this.#model.ownId !== user.id) this.#model = { ...this.#model, ownId: user.id };
        this.#pages.forgetErrors();
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
    this.#drafts.forgetDeleted(this.room, entries);
    this.#step({ type: 'entries', entries, readAt }, entries);
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

  #step(input: ModelInput, entries: readonly Entry[] = []): void {
    this.#model = stepModel(this.#model, input);
    this.#outgoing = dropArrived(this.#outgoing, entries, this.#model);
    this.#acts.onModel(this.#model);
    this.#cache.keepOnly(this.#model);
    this.#pumpSoon();
    this.#changed();
  }

  /** Delayed, because the client delivers related changes in several events. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      if (this.#isClosed || !hasSession(this.#client.connection)) return;
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

  #view<V extends AnyView>(of: ViewOf, build: (parts: ViewParts) => V): V {
    return this.#views.get(of, () =>
      build({
        model: this.#model,
        overlay: this.#acts.overlay,
        cache: this.#cache,
        outgoing: this.#outgoing,
        pages: this.#pages,
      }),
    );
  }
}
