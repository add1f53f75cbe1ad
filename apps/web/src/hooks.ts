import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Source<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

/** The current value of an observable. */
export const useWatched = <T>(source: Source<T>): T => useSelected(source, (value) => value);

/** The selected part of an observable. Other changes do not render the component again. */
export function useSelected<T, Part>(source: Source<T>, select: (value: T) => Part): Part {
  const [, redraw] = useState(0);
  const part = select(source.get());
  const shown = useRef({ part, select });
  shown.current = { part, select };
  // Subscribe in a layout effect. A later effect would miss changes between the render and the
  // effect.
  useLayoutEffect(() => {
    const check = () => {
      if (shown.current.select(source.get()) !== shown.current.part) redraw((n) => n + 1);
    };
    check();
    return source.subscribe(check);
  }, [source]);
  return part;
}

/** State that belongs to one owner, such as a room. It resets when the owner changes. */
export function useStateOf<T>(owner: object, initial: T): [T, (value: T) => void] {
  const [held, hold] = useState({ owner, value: initial });
  const set = useCallback((value: T) => hold({ owner, value }), [owner]);
  return [held.owner === owner ? held.value : initial, set];
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const read = () => setMatches(list.matches);
    read();
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, [query]);
  return matches;
}

const isPageVisible = () => document.visibilityState === 'visible';

export function useVisible(): boolean {
  const [isVisible, setVisible] = useState(isPageVisible);
  useEffect(() => {
    const read = () => setVisible(isPageVisible());
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, []);
  return isVisible;
}

/** Whether the page is visible and its window has the focus. */
export const isPageLookedAt = () => isPageVisible() && document.hasFocus();

export function useLookedAt(): boolean {
  const [isLookedAt, setLookedAt] = useState(isPageLookedAt);
  useEffect(() => {
    const read = () => setLookedAt(isPageLookedAt());
    read();
    document.addEventListener('visibilitychange', read);
    addEventListener('focus', read);
    addEventListener('blur', read);
    return () => {
      document.removeEventListener('visibilitychange', read);
      removeEventListener('focus', read);
      removeEventListener('blur', read);
    };
  }, []);
  return isLookedAt;
}

/**
 * Shows a modal dialog before the next paint, so the next key press already goes to it. When the
 * dialog is removed, the focus returns to the previous element, or else to the element with the id
 * `otherwise`.
 */
export function useModal(dialog: RefObject<HTMLDialogElement | null>, otherwise?: string): void {
  useLayoutEffect(() => {
    const opened = dialog.current;
    const returnTo = document.activeElement;
    opened?.showModal();
    return () => {
      // Close the dialog first: elements behind an open modal dialog cannot take the focus.
      opened?.close();
      if (returnTo instanceof HTMLElement && returnTo.isConnected) returnTo.focus();
      else if (otherwise !== undefined) document.getElementById(otherwise)?.focus();
    };
  }, []);
}
