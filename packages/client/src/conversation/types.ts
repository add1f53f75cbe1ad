/**
 * The views of a conversation for a host. A view is immutable, and stays the same object until
 * something changes. So a host may compare views and messages by identity.
 */
import type { ErrorBody } from '@maru/protocol/errors';
import type { MyRoom, Notify, Reaction, ReadPosition, UserRef } from '@maru/protocol/events';
import type { OutgoingMessage } from '../events.ts';

/** The current form of a message, with unconfirmed own acts applied. */
export interface Message {
  readonly seq: number;
  readonly ts: number;
  /** Number of messages in the room up to and including this one. */
  readonly n: number;
  readonly from: UserRef;
  readonly clientMsgId: string | null;
  /** Empty if the message is deleted. */
  readonly text: string;
  readonly edited: { readonly ts: number } | null;
  readonly deleted: { readonly ts: number; readonly by: string } | null;
  /** User ids, or `['@room']`. */
  readonly mentions: readonly string[];
  readonly reactions: readonly Reaction[];
  /** The `seq` of the message that it replies to. */
  readonly thread: number | null;
  /** For the root of a thread. Null without replies. */
  readonly replies: { readonly n: number; readonly seq: number; readonly ts: number } | null;
  readonly pinned: boolean;
  /** Unconfirmed own acts that the message shows. */
  readonly pending: readonly MessageActType[];
  /** A deletion by `deleteLater` is shown but not sent yet. */
  readonly canUndo: boolean;
}

export type MessageActType = 'edit' | 'delete' | 'react' | 'pin';

/** A refused act is no longer shown. `duplicate`: the act had no effect. */
export type ActOutcome = { ok: true; seq: number; duplicate: boolean } | { ok: false; error: ErrorBody };

/** One contiguous part of the room, or of a thread. */
export interface MessageList {
  /** Ascending. */
  readonly messages: readonly Message[];
  /** Older ones exist on the server. `loadOlder` brings them. */
  readonly hasOlder: boolean;
  /** Newer messages exist on the server. Then new messages are not added at the end. */
  readonly hasNewer: boolean;
  /** A page of older ones is being read. */
  readonly isLoading: boolean;
  /** The error of the last read. Null if it succeeded. `unavailable`: try again later. */
  readonly error: ErrorBody | null;
  /** Own messages that are not in the list yet, in the order sent. */
  readonly outgoing: readonly OutgoingMessage[];
}

export interface PageState {
  readonly isLoading: boolean;
  readonly error: ErrorBody | null;
}

export interface ConversationView extends MessageList {
  /** False until the first messages are known, and again while they are read again. */
  readonly isReady: boolean;
  /** Like `isLoading` and `error`, for newer messages and for the last `jumpTo`. */
  readonly newer: PageState;
  readonly jump: PageState;
  /**
   * The target of the last `jumpTo`, a new object each time. Null at the end. `isLine`: the first
   * message below the unread line.
   */
  readonly place: { readonly seq: number; readonly isLine: boolean } | null;
  /** The newest entry and the number of messages up to it, as far as they are known. */
  readonly head: number;
  readonly n: number;
  /** The own read position; null while it is unknown. */
  readonly read: ReadPosition | null;
  /** Number of messages above the read position. */
  readonly unread: number;
  /**
   * The first message of others below the unread line. A host draws "new messages" above it. The
   * line is at the own read position of the moment when the conversation was opened or `moveLine`
   * was called.
   */
  readonly unreadLine: number | null;
  /** The line is above the first loaded message. `jumpTo('unread')` shows it. */
  readonly isLineAbove: boolean;
  /** Number of messages below the line. */
  readonly sinceLine: number;
  /** How far each user has read, as far as known. See `loadReaders`. */
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
  /** The `seq` of the message that this one replies to. */
  thread?: number;
  mentions?: string[];
}

/** An open thread. MUST be closed when it is no longer shown. */
export interface Thread extends Watched<ThreadView> {
  readonly root: number;
  /** As `Pages.loadOlder`. A thread shows at most 500 replies. */
  loadOlder(): void;
  /** @throws MaruError, as `Conversation.send`. */
  send(text: string, options?: { mentions?: string[] }): OutgoingMessage;
  close(): void;
}

/** The pinned messages, at most 100. MUST be closed when they are no longer shown. */
export interface Pins extends Watched<PinsView> {
  close(): void;
}

/** The subject of a draft: a new message, a reply in a thread, or the edit of a message. */
export type DraftOf = 'room' | { thread: number } | { edit: number };

/**
 * A room's messages, kept up to date. An own act is shown immediately, sent in the order of the
 * room's messages, and sent again with the same id if the connection was lost. If it is refused, it
 * is undone, and its promise resolves with the reason. No promise rejects.
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
   * Shows the deletion immediately and sends it after `afterMs`. Until then, `undoDelete` cancels
   * it. `sendHeld`, closing the conversation, and the end of the page send it immediately.
   */
  deleteLater(seq: number, afterMs: number): Promise<ActOutcome | 'undone'>;
  undoDelete(seq: number): void;
  sendHeld(): void;
  react(seq: number, emoji: string, active: boolean): Promise<ActOutcome>;
  pin(seq: number, active: boolean): Promise<ActOutcome>;
  /**
   * Shows the part of the room around a message or around the first message since a time. `unread`:
   * around the unread line. `newest`: the end of the room. See `place` and `jump` of the view. For
   * a message that does not exist, the error is `not_found`, and the shown part stays.
   */
  jumpTo(to: JumpTarget): void;
  /** Clears the error of the last jump. */
  dismissJump(): void;
  /**
   * `seq`: the first message on the screen. `isAtEnd`: the newest message is on the screen too.
   * Messages far from the screen are dropped first. Cheap: call it on each scroll.
   */
  look(seq: number | null, isAtEnd: boolean): void;
  thread(root: number): Thread;
  pins(): Pins;
  /** Marks everything up to `seq` as read. Cheap: call it whenever messages are shown. */
  markRead(seq: number): void;
  /** Moves the unread line to the read position. */
  moveLine(): void;
  /** Reads how far each member has read. Receipts keep it up to date. */
  loadReaders(): void;
  /**
   * Empty without a draft. Drafts survive the conversation, and with `drafts` storage also a
   * reload.
   */
  draft(of: DraftOf): string;
  setDraft(of: DraftOf, text: string): void;
  /** Closes the model. The room stays joined. */
  close(): void;
}

export interface MyRoomsView {
  /** All pages were read. */
  readonly isReady: boolean;
  /** The last reading failed. The list is read again by itself, and by `refresh`. */
  readonly hasFailed: boolean;
  /** Sorted by the newest message, newest first. */
  readonly rooms: readonly MyRoom[];
  /** Sums over all rooms except those whose `notify` is `none`. */
  readonly unread: number;
  readonly mentions: number;
}

/**
 * The rooms of the user: memberships, direct rooms and followed public rooms. They are read
 * completely on each connection, then kept up to date by inbox events and by entries of joined
 * rooms. In a room that is not joined, an edit or a deletion of the last message appears only at
 * the next read.
 */
export interface MyRooms extends Watched<MyRoomsView> {
  get(): MyRoomsView;
  room(room: string): MyRoom | null;
  /** Follows a public room, or sets `notify` of a room in the list. Rejects with MaruError. */
  follow(room: string, notify?: Notify): Promise<void>;
  unfollow(room: string): Promise<void>;
  /** Marks the room as read, up to the newest message in the list. Rejects with MaruError. */
  markRead(room: string): Promise<void>;
  /** Marks all rooms as read. A room that cannot be marked does not stop the others. */
  markAllRead(): Promise<void>;
  refresh(): void;
}

export interface Conversations {
  readonly myRooms: MyRooms;
  /** Rooms with a draft. The same set until it changes. */
  readonly drafts: Watched<ReadonlySet<string>>;
  /**
   * The model of a room. Each room has one model: opening it again returns the same one. It ends
   * when all holders have closed it. The host joins the room with `client.join`, before or after.
   */
  open(room: string): Conversation;
  /**
   * Returns the direct room with a user, and creates it if it does not exist. Rejects with
   * MaruError.
   */
  openDirect(user: string): Promise<{ room: string }>;
  /** Closes all models. The client continues. */
  close(): void;
}
