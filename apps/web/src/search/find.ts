/** Whether the search is open, and its state while it is closed or the room changes. */
import type { Search } from '@maru/client/search';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useShortcut } from '../keyboard/use-shortcut.ts';

export interface FindMemory {
  /** Created when the search first opens. */
  search: Search | null;
  scrollTop: number;
  /** The value of `asked` when the field last took the focus. */
  asked: number;
  /** The last opened hit, as `room seq`. */
  opened: string | null;
}

export interface Find {
  isOpen: boolean;
  /** Increases each time the reader asks for the search. */
  asked: number;
  memory: FindMemory;
  open(): void;
  close(): void;
}

export function useFind(): Find {
  const [asked, setAsked] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const memory = useRef<FindMemory>({ search: null, scrollTop: 0, asked: 0, opened: null }).current;
  const open = useCallback(() => {
    setOpen(true);
    setAsked((count) => count + 1);
  }, []);
  const close = useCallback(() => setOpen(false), []);
  useShortcut('find', open);
  useEffect(() => () => memory.search?.close(), [memory]);
  return useMemo(() => ({ isOpen, asked, memory, open, close }), [isOpen, asked, memory, open, close]);
}
