/** What the dialog of acts is about, and what its views get. */
import type { ChatClient, RoomDetails } from '@maru/client';
import type { Entry, UserRef } from '@maru/protocol/events';
import type { RoomStore } from '../chat/room-store.ts';
import type { Names } from '../model/names.ts';

export type DialogTarget =
  | { view: 'create' }
  | { view: 'room' }
  /** `message`: the one whose menu was opened. */
  | { view: 'person'; user: UserRef; message: Entry | null };

export interface ModerationDialogProps {
  target: DialogTarget;
  client: ChatClient;
  store: RoomStore;
  details: RoomDetails | null;
  names: Names;
  ownId: string;
  onTarget: (target: DialogTarget) => void;
  onClose: () => void;
  onGoToRoom: (room: string) => void;
  /** Shows the message with this seq; false if it is not loaded. */
  onShowMessage: (seq: number) => boolean;
}

/** What the views of the dialog get. */
export type ViewProps = Omit<ModerationDialogProps, 'target' | 'details'> & { details: RoomDetails };

export type PersonViewProps = ViewProps & { user: UserRef; message: Entry | null };
