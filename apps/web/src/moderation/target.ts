/** What the moderation dialog is about, and the properties of its views. */
import type { ChatClient, RoomDetails } from '@maru/client';
import type { Message, MyRooms } from '@maru/client/conversation';
import type { UserRef } from '@maru/protocol/events';
import type { Names } from '../model/names.ts';
import type { RoomStore } from '../workspace/room-store.ts';

export type DialogTarget =
  | { view: 'create' }
  /**
   * Settings of a room. `room`: set if it is not the room on the screen. `section`: the section to
   * open.
   */
  | { view: 'room'; room?: string; section?: 'people' | 'quit' | null }
  /** Pinned messages and the notification rule. */
  | { view: 'about' }
  | { view: 'person'; user: UserRef }
  /** Reports the message, or deletes another user's message. */
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
