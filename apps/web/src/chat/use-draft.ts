/** The text of a form, which is a draft until it is sent. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { besideOthers } from '../model/draft.ts';

export interface DraftOptions {
  /** As it was when the form was rendered. */
  draft: string;
  /** As it is now. */
  readDraft: () => string;
  onDraft: (text: string) => void;
}

/**
 * What an ended tab left may be added to the draft at any time. The form shows and keeps it. The
 * third result is the newest text that was not written in this form.
 */
export function useDraft({ draft, readDraft, onDraft }: DraftOptions) {
  const [text, setText] = useState(draft);
  const restored = useRef(draft);
  /** The draft as this form knows it. */
  const known = useRef(draft);
  useEffect(() => {
    const now = readDraft();
    if (now === known.current) return;
    known.current = now;
    restored.current = now;
    setText(now);
  }, [draft]);
  const write = (next: string) => {
    const now = readDraft();
    if (now !== known.current) restored.current = now;
    const all = now === known.current ? next : besideOthers(next, known.current, now);
    setText(all);
    onDraft(all);
    known.current = readDraft();
  };
  return [text, write, restored] as const;
}
