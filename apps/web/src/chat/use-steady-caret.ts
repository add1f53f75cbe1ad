import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Keeps the caret in the user's text when the text of another tab is added before or after it. */
export function useSteadyCaret(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  const box = field.current;
  // The field still has its previous text: it changes after this call.
  const { value = '', selectionStart = 0, selectionEnd = 0 } = box ?? {};
  useLayoutEffect(() => {
    if (value === '' || value === text) return;
    const at = text.indexOf(value);
    if (at >= 0) box?.setSelectionRange(at + selectionStart, at + selectionEnd);
  }, [text]);
}
