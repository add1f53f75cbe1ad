/** What the dialog of acts is about, and what its views get. */
import type { ChatClient, RoomDetails } from '@maru/client';
import type { Message, MyRooms } from '@maru/client/conversation';
import type { UserRef } from '@maru/protocol/events';
import type { Names } from '../model/names.ts';
import type { RoomStore } from '../workspace/room-store.ts';

export type DialogTarget =
  | { view: 'create' }
  /**
   * `room`: the one whose settings were asked for from elsewhere; `section`: the part that is open.
   */
  | { view: 'room'; room?: string; section?: 'people' | 'quit' | null }
  /** Pinned messages and notifications. */
  | { view: 'about' }
  | { view: 'person'; user: UserRef }
  /** Reports the message, or deletes the message of another user. */
  | { view: 'report' | 'erase'; message: Message };

export interface ModerationDialogProps {
  target: DialogTarget;
  client: ChatClient;
  myRooms: MyRooms;
  /** Null outside a room. */
  store: RoomStore | null;
  details: RoomDetails | null;
  names: Names;
  ownId: string;
  onTarget: (target: DialogTarget) => void;
  onClose: () => void;
  onGoToRoom: (room: string) => void;
  /** Scrolls to the message with this seq. */
  onShowMessage: (seq: number) => void;
}

/** What the views of the dialog get. */
export type ViewProps = Omit<ModerationDialogProps, 'target' | 'details' | 'store'> & {
  details: RoomDetails;
  store: RoomStore;
};

export type PersonViewProps = ViewProps & { user: UserRef };

export type MessageViewProps = ViewProps & { message: Message };
