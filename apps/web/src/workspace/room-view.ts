/** What the page shows of a room. */
import type { PresenceView, RoomDetails } from '@maru/client';
import type { ConversationView, MessageActType } from '@maru/client/conversation';
import type { ErrorCode } from '@maru/protocol/errors';
import type { Entry, RemovalReason } from '@maru/protocol/events';
import type { Announcement } from '../model/announcer.ts';
import type { Names } from '../model/names.ts';
import type { Typists } from '../model/typing.ts';
import type { ClockSample } from '../model/write-gate.ts';

export type EnteredState =
  /** Whether the room exists is not known yet. */
  | { kind: 'looking' }
  /** `problem`: why it could not be made. */
  | { kind: 'missing'; problem: ErrorCode | null }
  | { kind: 'joining' }
  | { kind: 'joined' }
  | { kind: 'refused'; code: ErrorCode }
  /** `by`: the act that shut the user out, if it was seen. */
  | { kind: 'removed'; reason: RemovalReason; by: Entry | null };

export type Enterable = Extract<EnteredState, { kind: 'joining' | 'joined' }>;

/** Where the reader was in the list when another room was shown. */
export interface ReadingPlace {
  isAtEnd: boolean;
  /** A message on the screen, and where its lower edge was in the list. */
  anchor: { seq: string; bottom: number } | null;
  /** The place of the conversation that the list has shown. */
  shown: ConversationView['place'];
  /** The last line above unread messages that was on the screen. */
  seenLine: number | null;
}

/** Why the messages begin where they do, if the reader should know. */
export type SliceNotice = 'gap' | 'rolled-back' | null;

export interface Refusal {
  act: MessageActType;
  code: ErrorCode;
}

export interface RoomView {
  entered: EnteredState;
  /** Messages, own messages that are not stored yet, and how far they are read. */
  list: ConversationView;
  acts: readonly Entry[];
  /** The oldest entry on the server; null while unknown. */
  firstKept: number | null;
  notice: SliceNotice;
  details: RoomDetails | null;
  names: Names;
  clock: ClockSample | null;
  /** Monotonic: in slow mode, the own next message may be sent then. */
  slowUntilMs: number;
  presence: PresenceView | null;
  typists: Typists;
  /** The last act on a message that was refused, and why. */
  refusal: Refusal | null;
  announcements: readonly Announcement[];
}

/** Whether messages can be written, now or when the room is joined. */
export const isEnterable = (state: EnteredState): state is Enterable =>
  state.kind === 'joining' || state.kind === 'joined';

export const emptyRoomView = (list: ConversationView): RoomView => ({
  entered: { kind: 'looking' },
  list,
  acts: [],
  firstKept: null,
  notice: null,
  details: null,
  names: new Map(),
  clock: null,
  slowUntilMs: 0,
  presence: null,
  typists: [],
  refusal: null,
  announcements: [],
});
