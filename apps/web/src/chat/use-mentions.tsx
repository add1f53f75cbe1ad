/** Offers people while a mention is being written, and remembers who was chosen. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import {
  insertMention,
  type Mentioned,
  type MentionQuery,
  mentionQuery,
  mentionsIn,
  type Offer,
  offeredFor,
} from '../model/mentions.ts';

export interface MentionField {
  /** True if the key chose from the list, moved in it or closed it. */
  onKey: (event: KeyboardEvent) => boolean;
  /** The text or the caret changed. */
  onCaret: () => void;
  close: () => void;
  /** Whom the text mentions. */
  mentionsIn: (text: string) => string[];
  offered: readonly Mentioned[];
  at: number;
  choose: (mentioned: Mentioned) => void;
  listId: string;
  /** For the text field. */
  aria: Record<string, string | boolean | undefined>;
}

export interface MentionOptions extends Pick<Offer, 'names' | 'ownId'> {
  field: RefObject<HTMLTextAreaElement | null>;
  listId: string;
  /** Whether the own role mentions the whole room. */
  mayMentionRoom: boolean;
  onText: (text: string) => void;
}

export function useMentions(options: MentionOptions): MentionField {
  const { field, names, ownId, listId, mayMentionRoom, onText } = options;
  const { t } = useWords();
  const [query, setQuery] = useState<MentionQuery | null>(null);
  const [at, setAt] = useState(0);
  const caret = useRef<number | null>(null);
  const chosen = useRef<Mentioned[]>([]);
  const offer = { names, ownId, everyone: mayMentionRoom ? t.everyone : null };
  const offered = query === null ? [] : offeredFor(query, offer);
  const isOpen = offered.length > 0;

  // After the text has changed, behind the name.
  useLayoutEffect(() => {
    if (caret.current === null) return;
    field.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  const close = () => setQuery(null);
  const onCaret = () => {
    const box = field.current;
    if (box === null) return;
    const next = box.selectionStart === box.selectionEnd ? mentionQuery(box.value, box.selectionEnd) : null;
    if (next?.at === query?.at && next?.typed === query?.typed) return;
    setAt(0);
    setQuery(next);
  };
  const choose = (mentioned: Mentioned) => {
    if (query === null || field.current === null) return;
    const next = insertMention(field.current.value, query, mentioned);
    chosen.current = [...chosen.current, mentioned];
    caret.current = next.caret;
    onText(next.text);
    close();
    field.current.focus();
  };
  const onKey = (event: KeyboardEvent): boolean => {
    const now = offered[at];
    // Such a key belongs to the composition of a syllable.
    if (now === undefined || event.isComposing || event.keyCode === 229) return false;
    if (event.key === 'ArrowDown') setAt((at + 1) % offered.length);
    else if (event.key === 'ArrowUp') setAt((at + offered.length - 1) % offered.length);
    else if (event.key === 'Escape') close();
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) choose(now);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return {
    ...{ onKey, onCaret, close, offered, at, choose, listId },
    mentionsIn: (text) => mentionsIn(text, chosen.current),
    aria: {
      role: 'combobox',
      'aria-autocomplete': 'list',
      'aria-expanded': isOpen,
      'aria-controls': isOpen ? listId : undefined,
      'aria-activedescendant': isOpen ? `${listId}-${at}` : undefined,
    },
  };
}

/** The people who are offered, above the text field. */
export function MentionList({ mentions: { offered, at, choose, listId } }: { mentions: MentionField }) {
  const { t } = useWords();
  if (offered.length === 0) return null;
  return (
    <div class="mention-list" id={listId} role="listbox" aria-label={t.mentionSomeone} data-testid="mention-list">
      {offered.map((one, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the text field move in the list and choose
        <div
          key={one.id}
          id={`${listId}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          // The text field keeps the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => choose(one)}
        >
          <bdi>{one.name}</bdi>
        </div>
      ))}
    </div>
  );
}
