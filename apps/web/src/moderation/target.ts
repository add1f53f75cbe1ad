/** What the dialog of acts is about, and what its views get. */
import type { ChatClient, RoomDetails } from '@maru/client';
import type { Message, MyRooms } from '@maru/client/conversation';
import type { UserRef } from '@maru/protocol/events';
import type { RoomStore } from '../chat/room-store.ts';
import type { Names } from '../model/names.ts';

export type DialogTarget =
  | { view: 'create' }
  | { view: 'room' }
  /** Pinned messages and notifications. */
  | { view: 'about' }
  /** `message`: the one whose menu was opened. */
  | { view: 'person'; user: UserRef; message: Message | null };

export interface ModerationDialogProps {
  target: DialogTarget;
  client: ChatClient;
  myRooms: MyRooms;
  store: RoomStore;
  details: RoomDetails | null;
  names: Names;
  ownId: string;
  onTarget: (target: DialogTarget) => void;
  onClose: () => void;
  onGoToRoom: (room: string) => void;
  /** Scrolls to the message with this seq. */
  onShowMessage: (seq: number) => void;
  onThread: (root: number) => void;
}

/** What the views of the dialog get. */
export type ViewProps = Omit<ModerationDialogProps, 'target' | 'details'> & { details: RoomDetails };

export type PersonViewProps = ViewProps & { user: UserRef; message: Message | null };
