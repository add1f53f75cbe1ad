/**
 * The model of a conversation, as a host shows it. A view is immutable, and the same object until
 * something changes, so a host may compare views and messages by identity.
 */
import type { ErrorBody } from '@maru/protocol/errors';
import type { MyRoom, Notify, Reaction, ReadPosition, UserRef } from '@maru/protocol/events';
import type { OutgoingMessage } from '../events.ts';

/** A message as it is now, with own acts that are not confirmed yet. */
export interface Message {
  readonly seq: number;
  readonly ts: number;
  /** Messages of the room up to and including this one. */
  readonly n: number;
  readonly from: UserRef;
  readonly clientMsgId: string | null;
  /** Empty if it is deleted. */
  readonly text: string;
  readonly edited: { readonly ts: number } | null;
  readonly deleted: { readonly ts: number; readonly by: string } | null;
  /** User ids, or `['@room']`. */
  readonly mentions: readonly string[];
  readonly reactions: readonly Reaction[];
  /** The `seq` of the message to which it replies. */
  readonly thread: number | null;
  /** Of the root of a thread; null without replies. */
  readonly replies: { readonly n: number; readonly seq: number; readonly ts: number } | null;
  readonly pinned: boolean;
  /** Own acts that the message shows and that are not confirmed. */
  readonly pending: readonly MessageActType[];
  /** Its deletion by `deleteLater` is shown, and not sent yet. */
  readonly canUndo: boolean;
}

export type MessageActType = 'edit' | 'delete' | 'react' | 'pin';

/** A refused act is no longer shown. `duplicate`: it was so already. */
export type ActOutcome = { ok: true; seq: number; duplicate: boolean } | { ok: false; error: ErrorBody };

/** One contiguous part of the room, or of a thread. */
export interface MessageList {
  /** Ascending. */
  readonly messages: readonly Message[];
  /** Older ones exist on the server. `loadOlder` brings them. */
  readonly hasOlder: boolean;
  /** Newer ones exist on the server. Then new messages are not added at the end. */
  readonly hasNewer: boolean;
  /** A page of older ones is being read. */
  readonly isLoading: boolean;
  /** It could not be read; null after one that could. `unavailable`: try again later. */
  readonly error: ErrorBody | null;
  /** Own messages that are not in the list yet, in the order sent. */
  readonly outgoing: readonly OutgoingMessage[];
}

export interface PageState {
  readonly isLoading: boolean;
  readonly error: ErrorBody | null;
}

export interface ConversationView extends MessageList {
  /** False until the first messages are known, and again while they are read anew. */
  readonly isReady: boolean;
  /** As `isLoading` and `error`, of newer messages, and of the last `jumpTo`. */
  readonly newer: PageState;
  readonly jump: PageState;
  /**
   * The message to which the last `jumpTo` led, a new object each time; null at the end. `isLine`:
   * the first one below the line.
   */
  readonly place: { readonly seq: number; readonly isLine: boolean } | null;
  /** The newest entry and the number of messages up to it, as far as they are known. */
  readonly head: number;
  readonly n: number;
  /** The own read position; null while it is unknown. */
  readonly read: ReadPosition | null;
  /** Messages above the read position. */
  readonly unread: number;
  /**
   * The first message of others above the line: above it, a host draws "new messages". The line is
   * where the own read position was when the conversation was opened, or `moveLine` was called.
   */
  readonly unreadLine: number | null;
  /** The line is above the first message that is shown. `jumpTo('unread')` shows it. */
  readonly isLineAbove: boolean;
  /** Messages below the line. */
  readonly sinceLine: number;
  /** How far each user has read, as far as it is known. See `loadReaders`. */
  readonly readers: ReadonlyMap<string, number>;
}

export interface ThreadView extends MessageList {
  /** Null until it is read, or if it does not exist. */
  readonly root: Message | null;
}

export interface PinsView {
  readonly isReady: boolean;
  /** Ascending. */
  readonly messages: readonly Message[];
}

export interface Watched<View> {
  get(): View;
  /** Returns a function that removes the listener. */
  subscribe(listener: () => void): () => void;
}

export interface Pages {
  /** Does nothing if there are none, or while a page is being read. */
  loadOlder(): void;
  loadNewer(): void;
}

export type JumpTarget = number | { readonly at: number } | 'unread' | 'newest';

export interface SendOptions {
  /** The `seq` of the message to which this one replies. */
  thread?: number;
  mentions?: string[];
}

/** A thread that is shown. MUST be closed when it is shown no longer. */
export interface Thread extends Watched<ThreadView> {
  readonly root: number;
  /** As `Pages.loadOlder`. A thread shows at most 500 replies. */
  loadOlder(): void;
  /** @throws MaruError, as `Conversation.send`. */
  send(text: string, options?: { mentions?: string[] }): OutgoingMessage;
  close(): void;
}

/** The pinned messages, at most 100. MUST be closed when they are shown no longer. */
export interface Pins extends Watched<PinsView> {
  close(): void;
}

/** What a draft belongs to: a new message, a reply in a thread, or the edit of a message. */
export type DraftOf = 'room' | { thread: number } | { edit: number };

/**
 * A room's messages, kept up to date. An act is shown at once, sent in the order of the room's
 * messages, and sent again with the same id while the connection is lost. If it is refused, it is
 * undone, and its promise resolves with the reason. No promise rejects.
 */
export interface Conversation extends Watched<ConversationView>, Pages {
  readonly room: string;
  /** Any message that the model holds. */
  message(seq: number): Message | null;
  /** @throws MaruError `invalid`, `too_large`, `unavailable` (outbox full). */
  send(text: string, options?: SendOptions): OutgoingMessage;
  edit(seq: number, text: string, options?: { mentions?: string[] }): Promise<ActOutcome>;
  delete(seq: number, reason?: string): Promise<ActOutcome>;
  /**
   * Shows the deletion at once, and sends it after `afterMs`. Until then `undoDelete` takes it
   * back. It is sent at once by `sendHeld`, when the page goes away, and when the conversation is
   * closed.
   */
  deleteLater(seq: number, afterMs: number): Promise<ActOutcome | 'undone'>;
  undoDelete(seq: number): void;
  sendHeld(): void;
  react(seq: number, emoji: string, active: boolean): Promise<ActOutcome>;
  pin(seq: number, active: boolean): Promise<ActOutcome>;
  /**
   * Shows the part of the room around a message, or around the first one since a time; `unread`:
   * around the line; `newest`: its end again. See `place` and `jump` of the view. A message that
   * does not exist is the error `not_found`, and what is shown stays.
   */
  jumpTo(to: JumpTarget): void;
  /** Forgets why the last jump failed. */
  dismissJump(): void;
  /**
   * The first message on the screen, and whether the newest one is, too. What is far from there is
   * dropped first. Cheap: call it on each scroll.
   */
  look(seq: number | null, isAtEnd: boolean): void;
  thread(root: number): Thread;
  pins(): Pins;
  /** The user has read everything up to `seq`. Cheap: call it whenever something is shown. */
  markRead(seq: number): void;
  /** Moves the line above unread messages to the read position. */
  moveLine(): void;
  /** Reads how far each member has read. Receipts keep it up to date. */
  loadReaders(): void;
  /** Empty without a draft. Drafts outlive the conversation, and a reload with `drafts` storage. */
  draft(of: DraftOf): string;
  setDraft(of: DraftOf, text: string): void;
  /** The room stays joined. */
  close(): void;
}

export interface MyRoomsView {
  /** All pages were read. */
  readonly isReady: boolean;
  /** The last reading failed. The list is read again by itself, and by `refresh`. */
  readonly hasFailed: boolean;
  /** The room with the newest message first. */
  readonly rooms: readonly MyRoom[];
  /** Sums over the rooms, without those whose `notify` is `none`. */
  readonly unread: number;
  readonly mentions: number;
}

/**
 * The rooms of the user: memberships, direct rooms and followed public rooms. Read as a whole on
 * each connection, then kept up to date by inbox events and by entries of joined rooms. In a room
 * that is not joined, an edit or a deletion of the last message shows at the next reading.
 */
export interface MyRooms extends Watched<MyRoomsView> {
  get(): MyRoomsView;
  room(room: string): MyRoom | null;
  /** Follows a public room, or sets `notify` of any room of the list. Rejects with MaruError. */
  follow(room: string, notify?: Notify): Promise<void>;
  unfollow(room: string): Promise<void>;
  /**
   * The user has read the room up to its newest message that the list knows. Rejects with
   * MaruError.
   */
  markRead(room: string): Promise<void>;
  /** The same of all rooms. A room that cannot be marked does not stop the others. */
  markAllRead(): Promise<void>;
  refresh(): void;
}

export interface Conversations {
  readonly myRooms: MyRooms;
  /** Rooms in which the user has begun to write something. The same set until it changes. */
  readonly drafts: Watched<ReadonlySet<string>>;
  /**
   * The model of a room. One room has one model: opening it again returns the same, and it ends
   * when each has closed it. The host joins the room with `client.join`, before or after.
   */
  open(room: string): Conversation;
  /** The direct room with a user, made if it does not exist. Rejects with MaruError. */
  openDirect(user: string): Promise<{ room: string }>;
  /** Ends all models. The client goes on. */
  close(): void;
}
