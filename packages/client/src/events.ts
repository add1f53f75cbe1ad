/** What the client tells its host, and the shapes in it. */
import type { ErrorBody } from '@maru/protocol/errors';
import type { Entry, Notice, Position, Role, SessionData, TypingSignal } from '@maru/protocol/events';
import type { ConnectionState } from './connection-state.ts';
import type { PresenceView } from './presence-view.ts';
import type { GapReason } from './room.ts';

export type RoomStatus =
  | { status: 'joining' }
  /** `first` is the oldest entry that is kept. Told before the room's first entries. */
  | { status: 'joined'; role: Role; epoch: string; head: number; first: number }
  /** The server will not have us in: the room is no longer wanted. */
  | { status: 'refused'; error: ErrorBody }
  /** Kicked or banned: the room is no longer wanted. */
  | { status: 'removed'; reason: string };

export type OutgoingState =
  | { kind: 'sending' }
  /** In the room's log. Its entry arrives as any other, before or after this. */
  | { kind: 'stored'; position: Position }
  | { kind: 'failed'; error: ErrorBody };

export interface OutgoingMessage {
  room: string;
  clientMsgId: string;
  text: string;
  /** On the client's own clock. */
  queuedAtMs: number;
  state: OutgoingState;
}

export interface ClientEvents {
  connection: ConnectionState;
  session: SessionData;
  notice: Notice;
  room: { room: string } & RoomStatus;
  /** In order, without hole or double, unless a `gap` or a `rollback` of the room came just before. */
  entries: { room: string; entries: readonly Entry[] };
  /**
   * The next entries of the room do not continue those up to `after`. For the reason `epoch`, what was delivered belongs to an
   * earlier life of the log, and its entries may come again as part of the new one. What lies between is history to be read.
   */
  gap: { room: string; reason: GapReason; after: Position };
  /** The log was rolled back: entries delivered above `head` are no more, and the next has another `epoch`. */
  rollback: { room: string; epoch: string; head: number };
  outgoing: OutgoingMessage;
  presence: { room: string; view: PresenceView };
  typing: TypingSignal;
}
