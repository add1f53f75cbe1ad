import type { ChatClient } from '@maru/client';
import type { Hit } from '@maru/client/search';
import type { Names } from '../model/names.ts';
import type { Find } from './find.ts';

export interface FindPaneProps {
  client: ChatClient;
  find: Find;
  room: string;
  nameOfRoom: (room: string) => string;
  /** The authors that the filter offers. */
  people: Names;
  ownId: string;
  onOpen: (hit: Hit) => void;
  /** Shows the first message at or after this time. */
  onDay: (ts: number) => void;
  /** Null if the frame around the pane has its own close button. */
  onClose: (() => void) | null;
}
