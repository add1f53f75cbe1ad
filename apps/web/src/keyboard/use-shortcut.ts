import { useEffect } from 'preact/hooks';
import { matches, type PageShortcut } from './shortcuts.ts';

const FIELD = 'input, textarea, select, [contenteditable]';

/** Does nothing while a modal dialog is open, because everything behind it is inert. */
export function useShortcut(id: PageShortcut, run: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isWriting = event.target instanceof Element && event.target.matches(FIELD);
      if (event.defaultPrevented || !matches(id, event, isWriting)) return;
      if (document.querySelector('dialog:modal') !== null) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [id, run]);
}
