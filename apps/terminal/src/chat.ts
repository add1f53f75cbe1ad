/**
 * The chat logic behind the screen and the JSON mode: one client, the user's rooms, and the room
 * that is shown. It does not know the terminal.
 */
import {
  type ChatClient,
  type ConnectionState,
  createChatClient,
  type EndReason,
  hasSession,
  type OutgoingMessage,
  type PresenceView,
} from '@maru/client';
import {
  type Conversation,
  type Conversations,
  type ConversationView,
  createConversations,
} from '@maru/client/conversation';
import { readRoom } from '@maru/client/http';
import { createSearch, type Search } from '@maru/client/search';
import { MaruError } from '@maru/protocol/errors';
import type { Entry, MyRoom } from '@maru/protocol/events';

export interface ChatView {
  connection: ConnectionState;
  room: string;
  title: string;
  conversation: ConversationView;
  presence: PresenceView | null;
  rooms: readonly MyRoom[];
  /** The newest notice for the user. Empty if there is none. */
  notice: string;
  /** Why the user is not in the room. */
  refusal: string | null;
}

/** Which message of which room. */
export interface MessagePlace {
  room: string;
  seq: number;
}

export interface ChatOptions {
  url: string;
  token: string;
  history: number;
}

export interface ChatEvents {
  /** Called when the view may have changed. */
  onChange: () => void;
  onEntries: (room: string, entries: readonly Entry[]) => void;
  onOutgoing: (message: OutgoingMessage) => void;
  onEnded: (reason: EndReason) => void;
}

export class Chat {
  readonly client: ChatClient;
  readonly conversations: Conversations;
  readonly search: Search;
  readonly #options: ChatOptions;
  readonly #events: ChatEvents;
  readonly #joined = new Set<string>();
  readonly #presence = new Map<string, PresenceView>();
  /** For each room, the seq up to which entries are marked as read. */
  readonly #marked = new Map<string, number>();
  readonly #refusals = new Map<string, string>();
  #conversation: Conversation;
  #unsubscribe = () => {};
  #notice = '';

  constructor(options: ChatOptions & { room: string }, events: ChatEvents) {
    this.#options = options;
    this.#events = events;
    this.client = createChatClient({
      url: options.url,
      program: 'terminal',
      getToken: ({ refresh }) => (refresh ? null : options.token),
    });
    this.conversations = createConversations({ client: this.client });
    this.search = createSearch({ client: this.client });
    this.#listen();
    this.#conversation = this.#open(options.room);
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  get view(): ChatView {
    const { room } = this.#conversation;
    return {
      connection: this.client.connection,
      room,
      title: this.client.details(room)?.title ?? '',
      conversation: this.#conversation.get(),
      presence: this.#presence.get(room) ?? null,
      rooms: this.conversations.myRooms.get().rooms,
      notice: this.#notice,
      refusal: this.#refusals.get(room) ?? null,
    };
  }

  connect(): void {
    this.client.connect();
  }

  /** Resolves as soon as requests are possible. */
  whenConnected(): Promise<void> {
    return new Promise((resolve) => {
      if (hasSession(this.client.connection)) return resolve();
      const stop = this.client.on('session', () => {
        stop();
        resolve();
      });
    });
  }

  close(): void {
    this.search.close();
    this.conversations.close();
    this.client.close();
  }

  say(notice: string): void {
    this.#notice = notice;
    this.#events.onChange();
  }

  /** Goes to an existing room. A join would create a missing one. */
  async goTo(room: string): Promise<void> {
    const found = await readRoom(this.#options, room);
    if (found.ok) this.show(room);
    else if (found.error.code === 'not_found') this.say(`there is no room ${room}; /create ${room} creates it`);
    else this.say(`the room could not be looked up: ${found.error.code}`);
  }

  async create(room: string): Promise<void> {
    try {
      await this.client.request('room:create', { room });
      this.show(room);
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      this.say(error.code === 'conflict' ? `the room ${room} exists already: /join ${room}` : error.message);
    }
  }

  show(room: string): void {
    if (room === this.#conversation.room) return;
    this.#unsubscribe();
    this.#conversation.close();
    this.#conversation = this.#open(room);
    this.say('');
  }

  send(text: string): void {
    try {
      this.#conversation.send(text);
      this.#notice = '';
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      this.#notice = `not sent: ${error.message}`;
    }
    this.#events.onChange();
  }

  /** The newest own message of those that are shown and can be changed. */
  lastOwn() {
    const ownId = this.client.user?.id;
    return this.#conversation.get().messages.findLast(({ from, deleted }) => from.id === ownId && deleted === null);
  }

  async edit({ room, seq }: MessagePlace, text: string): Promise<void> {
    if (room !== this.#conversation.room) return this.say('not edited: the message is in another room');
    const outcome = await this.#conversation.edit(seq, text);
    if (!outcome.ok) this.say(`not edited: ${outcome.error.message}`);
  }

  async editLast(text: string): Promise<void> {
    const last = this.#lastToChange();
    if (last !== null) await this.edit(last, text);
  }

  async deleteLast(): Promise<void> {
    const last = this.#lastToChange();
    if (last === null) return;
    const outcome = await this.#conversation.delete(last.seq);
    if (!outcome.ok) this.say(`not deleted: ${outcome.error.message}`);
  }

  /** Null, with a notice, unless it is certain which own message is the last one. */
  #lastToChange(): MessagePlace | null {
    const { hasNewer, isReady, outgoing } = this.#conversation.get();
    const last = this.lastOwn();
    if (hasNewer || !isReady) this.say('not changed: the newest messages are not shown, /newest shows them');
    else if (outgoing.some(({ state }) => state.kind !== 'failed'))
      this.say('not changed: your last message is still on its way');
    else if (last === undefined) this.say('you have no message here to change');
    else return { room: this.#conversation.room, seq: last.seq };
    return null;
  }

  #open(room: string): Conversation {
    const conversation = this.conversations.open(room);
    this.#refusals.delete(room);
    // Rooms stay joined, so their entries and counts stay live.
    if (!this.#joined.has(room)) this.client.join(room, { limit: Math.max(1, this.#options.history), presence: true });
    this.#joined.add(room);
    this.#unsubscribe = conversation.subscribe(() => {
      this.#markRead(conversation);
      this.#events.onChange();
    });
    return conversation;
  }

  #markRead(conversation: Conversation): void {
    const { isReady, hasNewer, head } = conversation.get();
    const marked = this.#marked.get(conversation.room) ?? 0;
    if (!isReady || hasNewer || head <= marked) return;
    // Set it before the call, because the call notifies listeners.
    this.#marked.set(conversation.room, head);
    conversation.markRead(head);
  }

  #listen(): void {
    const { client } = this;
    const { onChange, onEntries, onOutgoing, onEnded } = this.#events;
    client.on('connection', (state) => {
      if (state.state === 'ended' && state.reason !== 'closed') onEnded(state.reason);
      onChange();
    });
    client.on('room', (event) => {
      if (event.status === 'refused') this.#refuse(event.room, event.error.message);
      if (event.status === 'removed') this.#refuse(event.room, `you are no longer in this room: ${event.reason}`);
      onChange();
    });
    client.on('entries', ({ room, entries }) => onEntries(room, entries));
    for (const event of ['gap', 'rollback'] as const) client.on(event, ({ room }) => void this.#marked.delete(room));
    client.on('outgoing', onOutgoing);
    client.on('presence', ({ room, view }) => {
      this.#presence.set(room, view);
      onChange();
    });
    client.on('details', onChange);
    client.on('notice', ({ code, text }) => {
      if (code === 'announcement' && text !== undefined) this.say(`an administrator says: ${text}`);
    });
    this.conversations.myRooms.subscribe(onChange);
    this.search.subscribe(onChange);
  }

  #refuse(room: string, why: string): void {
    this.#joined.delete(room);
    this.#presence.delete(room);
    this.#refusals.set(room, why);
  }
}
