/** What the menu of a room gets. */
import type { Workspace } from '../workspace/workspace.ts';
import type { RoomRow } from './rows.ts';

export interface OpenMenu {
  row: RoomRow;
  at: HTMLElement;
}

export interface RoomMenuProps extends OpenMenu {
  workspace: Workspace;
  /** As the reader knows it. */
  name: string;
  /** Opens the settings of the room, with a part of them. */
  onSettings: (room: string, section: 'people' | 'quit' | null) => void;
  /** The act failed. */
  onFailed: (error: unknown) => void;
  /** The link was copied, or the browser did not allow it. */
  onCopied: (isDone: boolean) => void;
  onClose: () => void;
}
