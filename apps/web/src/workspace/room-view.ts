/** The data of a room that the page shows. */
import type { PresenceView, RoomDetails } from '@maru/client';
import type { ConversationView, MessageActType } from '@maru/client/conversation';
import type { ErrorCode } from '@maru/protocol/errors';
import type { Entry, RemovalReason } from '@maru/protocol/events';
import type { Announcement } from '../model/announcer.ts';
import type { Names } from '../model/names.ts';
import type { Typists } from '../model/typing.ts';
import type { ClockSample } from '../model/write-gate.ts';

export type EnteredState =
  /** Not known yet whether the room exists. */
  | { kind: 'looking' }
  /** `problem`: why it could not be created. */
  | { kind: 'missing'; problem: ErrorCode | null }
  | { kind: 'joining' }
  | { kind: 'joined' }
  | { kind: 'refused'; code: ErrorCode }
  /** `by`: the act that excluded the user, if it is known. */
  | { kind: 'removed'; reason: RemovalReason; by: Entry | null };

export type Enterable = Extract<EnteredState, { kind: 'joining' | 'joined' }>;

/** The scroll position of the list when another room was shown. */
export interface ReadingPlace {
  isAtEnd: boolean;
  /** A message on the screen, and the distance of its lower edge from the top of the list. */
  anchor: { seq: string; bottom: number } | null;
  /** The last jump that the list has shown. */
  shown: ConversationView['place'];
  /** The last unread line that was on the screen. */
  seenLine: number | null;
}

/** Why the loaded messages begin where they do, if the reader should know. */
export type SliceNotice = 'gap' | 'rolled-back' | null;

export interface Refusal {
  act: MessageActType;
  code: ErrorCode;
}

export interface RoomView {
  entered: EnteredState;
  /** Messages, own unsent messages, and read positions. */
  list: ConversationView;
  acts: readonly Entry[];
  /** The oldest entry on the server; null while unknown. */
  firstKept: number | null;
  notice: SliceNotice;
  details: RoomDetails | null;
  names: Names;
  clock: ClockSample | null;
  /** Monotonic. In slow mode, the user may send the next message at this time. */
  slowUntilMs: number;
  presence: PresenceView | null;
  typists: Typists;
  /** The last refused act on a message, and the reason. */
  refusal: Refusal | null;
  announcements: readonly Announcement[];
}

/** Whether messages can be written, now or after the join. */
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
