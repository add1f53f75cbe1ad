/** A popup about a message or a person, beside the element that opened it. */
import type { Message } from '@maru/client/conversation';
import type { UserRef } from '@maru/protocol/events';

interface Place {
  isInThread: boolean;
  /** The element that opened the popup. */
  at: HTMLElement;
}

export type MessagePopup<Kind = 'menu' | 'emoji' | 'reactors'> = Place & { kind: Kind; message: Message };
export type PersonPopup = Place & { kind: 'person'; user: UserRef };
export type Popup = MessagePopup<'menu'> | MessagePopup<'emoji'> | MessagePopup<'reactors'> | PersonPopup;

/** Acts on messages. MUST stay the same object, or all rows render again. */
export interface RowActions {
  onRetry: (clientMsgId: string) => void;
  onDiscard: (clientMsgId: string) => void;
  onPopup: (popup: Popup) => void;
  onReact: (seq: number, emoji: string, active: boolean) => void;
  onThread: (root: number) => void;
}
