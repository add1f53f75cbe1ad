/** The client's events and their payloads. */
import type { ErrorBody } from '@maru/protocol/errors';
import type {
  Entry,
  InboxEvent,
  Notice,
  Position,
  Receipt,
  RemovalReason,
  Role,
  SessionData,
  TypingSignal,
} from '@maru/protocol/events';
import type { ConnectionState } from './connection-state.ts';
import type { MessageAct, NewMessage } from './outgoing.ts';
import type { PresenceView } from './presence-view.ts';
import type { RoomDetails } from './room-details.ts';
import type { GapReason } from './room-state.ts';

export type RoomStatus =
  | { status: 'joining' }
  /** `first` is the oldest kept entry. Emitted before the room's first entries. */
  | { status: 'joined'; role: Role; epoch: string; head: number; first: number }
  /** The server refused the room, so it is no longer wanted. */
  | { status: 'refused'; error: ErrorBody }
  /** The user was removed or has left, or the room is closed or gone. It is no longer wanted. */
  | { status: 'removed'; reason: RemovalReason };

export type OutgoingState =
  | { kind: 'sending' }
  /** Stored in the room's log. The entry arrives before or after this event. */
  | { kind: 'stored'; position: Position; duplicate?: true }
  | { kind: 'failed'; error: ErrorBody };

export interface OutgoingMessage extends NewMessage {
  room: string;
  clientMsgId: string;
  /** Milliseconds of the device's wall clock, for display. */
  queuedAtMs: number;
  state: OutgoingState;
}

/** A refused act is `failed`, and is not kept. */
export interface OutgoingAct {
  room: string;
  clientMsgId: string;
  act: MessageAct;
  state: OutgoingState;
}

export interface ClientEvents {
  connection: ConnectionState;
  session: SessionData;
  notice: Notice;
  room: { room: string } & RoomStatus;
  /** Sent after the room is joined, and whenever an act has changed the details. */
  details: { room: string; details: RoomDetails };
  /**
   * In order, without gaps or duplicates, except after a `gap` or a `rollback` of the room. With
   * `readAt`, the messages were read, and have their form of the time when the log ended there.
   * Without it, they are in their original form.
   */
  entries: { room: string; entries: readonly Entry[]; readAt?: number };
  /**
   * The next entries of the room do not continue those up to `after`. Read the history for the
   * entries in between. With the reason `epoch`, the delivered entries belong to an earlier epoch
   * of the log, and they may come again as part of the new one.
   */
  gap: { room: string; reason: GapReason; after: Position };
  /**
   * The log was rolled back: entries above `head` no longer exist, and later ones have another
   * `epoch`.
   */
  rollback: { room: string; epoch: string; head: number };
  outgoing: OutgoingMessage;
  /** A failed message was dropped by `discard`. */
  discarded: { room: string; clientMsgId: string };
  act: OutgoingAct;
  presence: { room: string; view: PresenceView };
  typing: TypingSignal;
  /** How far others have read. */
  receipt: Receipt;
  /** Events in rooms that this connection may not have joined. */
  inbox: InboxEvent;
}
