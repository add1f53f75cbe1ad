/** Properties of menus and popups. */
import type { ChatClient, RoomDetails } from '@maru/client';
import type { UserRef } from '@maru/protocol/events';
import type { Names } from '../model/names.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { Popup } from './popup.ts';
import type { MessageActs } from './use-acts.ts';

export interface PopupProps<P = Popup> {
  popup: P;
  client: ChatClient;
  store: RoomStore;
  details: RoomDetails | null;
  names: Names;
  ownId: string;
  acts: MessageActs;
  /** Opens the direct room with a person. */
  onDirect: (user: UserRef) => void;
  onClose: () => void;
}
