/** Properties of the room menu. */
import type { Workspace } from '../workspace/workspace.ts';
import type { RoomRow } from './rows.ts';

export interface OpenMenu {
  row: RoomRow;
  at: HTMLElement;
}

export interface RoomMenuProps extends OpenMenu {
  workspace: Workspace;
  /** The name that the reader sees. */
  name: string;
  /** Opens the settings of the room at a section. */
  onSettings: (room: string, section: 'people' | 'quit' | null) => void;
  /** The act failed. */
  onFailed: (error: unknown) => void;
  /** `isDone`: false if the browser did not allow copying the link. */
  onCopied: (isDone: boolean) => void;
  onClose: () => void;
}
