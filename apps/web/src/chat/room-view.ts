/** What the page shows of a room. */
import type { PresenceView, RoomDetails } from '@maru/client';
import type { ConversationView } from '@maru/client/conversation';
import type { ErrorCode } from '@maru/protocol/errors';
import type { Entry, RemovalReason } from '@maru/protocol/events';
import type { Announcement } from '../model/announcement.ts';
import type { Names } from '../model/names.ts';
import type { Typists } from '../model/typing.ts';
import type { ClockSample } from '../model/write-gate.ts';

export type EnteredState =
  | { kind: 'joining' }
  | { kind: 'joined' }
  | { kind: 'refused'; code: ErrorCode }
  /** `by`: the act that shut the user out, if it was seen. */
  | { kind: 'removed'; reason: RemovalReason; by: Entry | null };

/** Why the messages begin where they do, if the reader should know. */
export type SliceNotice = 'gap' | 'rolled-back' | null;

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
  /** Why the last act on a message was refused. */
  refusal: ErrorCode | null;
  announcement: Announcement | null;
}

export const emptyRoomView = (list: ConversationView): RoomView => ({
  entered: { kind: 'joining' },
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
  announcement: null,
});
