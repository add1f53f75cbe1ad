/** Suggests people and emoji while the user types a name, and remembers the chosen people. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { emojiQuery } from '../emoji/query.ts';
import { useEmojiOffers } from '../emoji/use-emoji-offers.ts';
import { useWords } from '../i18n/index.ts';
import {
  foundIn,
  insertAt,
  type Mentioned,
  mentionQuery,
  mentionsIn,
  type Offer,
  offeredFor,
} from '../model/mentions.ts';

interface Query {
  kind: 'mention' | 'emoji';
  /** Index of the `@` or the colon. */
  at: number;
  typed: string;
}

interface Suggestion {
  id: string;
  name: string;
  emoji: string | null;
  /** The text that replaces what was typed. */
  text: string;
  mentioned: Mentioned | null;
}

export interface SuggestionField {
  /** True if the list used the key: to choose, to move, or to close. */
  onKey: (event: KeyboardEvent) => boolean;
  /** Call it when the text or the caret has changed. */
  onCaret: () => void;
  close: () => void;
  /** Adds a mention at the end of the text. */
  append: (mentioned: Mentioned) => void;
  /** Ids of the users that the text mentions. */
  mentionsIn: (text: string) => string[];
  /** Call it when the text is sent. The next text begins without mentions. */
  forget: () => void;
  kind: Query['kind'];
  offered: readonly Suggestion[];
  at: number;
  choose: (suggestion: Suggestion) => void;
  listId: string;
  /** ARIA attributes of the text field. */
  aria: Record<string, string | boolean | undefined>;
}

export interface SuggestionOptions extends Pick<Offer, 'names' | 'ownId'> {
  field: RefObject<HTMLTextAreaElement | null>;
  listId: string;
  /** Whether the own role may mention the whole room. */
  mayMentionRoom: boolean;
  onText: (text: string) => void;
  /** What the text is a draft of. While it lives, who was chosen is remembered. */
  owner: object;
  /** What was written before the field was shown, perhaps before a reload. */
  restored: string;
}

/** Who was chosen for a draft that is not sent, by its owner. */
const chosenFor = new WeakMap<object, readonly Mentioned[]>();

/** What was written before this page, or in another tab, by the owner of the draft. */
const restoredFor = new WeakMap<object, string>();

function useChosen({ owner, restored, names, ownId }: SuggestionOptions) {
  const was = useRef(restored);
  // A field that is shown again has the text that was written here, where names were chosen.
  if (!restoredFor.has(owner) || restored !== was.current) restoredFor.set(owner, restored);
  was.current = restored;
  const now = () => chosenFor.get(owner) ?? [];
  return {
    add: (mentioned: Mentioned) => void chosenFor.set(owner, [...now(), mentioned]),
    forget: () => {
      chosenFor.delete(owner);
      restoredFor.set(owner, '');
    },
    mentionsIn(text: string): string[] {
      const chosen = now();
      // Late, because names may come after the draft.
      const found = foundIn(restoredFor.get(owner) ?? '', names, ownId);
      const others = found.filter(({ name }) => chosen.every((one) => one.name !== name));
      return mentionsIn(text, [...chosen, ...others], names);
    },
  };
}

function queryBefore(text: string, caret: number): Query | null {
  const mention = mentionQuery(text, caret);
  if (mention !== null) return { kind: 'mention', ...mention };
  const emoji = emojiQuery(text, caret);
  return emoji === null ? null : { kind: 'emoji', ...emoji };
}

function useOffered(query: Query | null, { names, ownId, mayMentionRoom }: SuggestionOptions): Suggestion[] {
  const { t, language } = useWords();
  const emoji = useEmojiOffers(query?.kind === 'emoji' ? query.typed : null, language);
  if (query === null) return [];
  if (query.kind === 'emoji') {
    return emoji.map((one) => ({ id: one.emoji, name: one.name, emoji: one.emoji, text: one.emoji, mentioned: null }));
  }
  const people = offeredFor(query, { names, ownId, everyone: mayMentionRoom ? t.everyone : null });
  return people.map((one) => ({ ...one, emoji: null, text: `@${one.name} `, mentioned: one }));
}

export function useSuggestions(options: SuggestionOptions): SuggestionField {
  const { field, listId, onText } = options;
  const [query, setQuery] = useState<Query | null>(null);
  const [place, setPlace] = useState(0);
  const caret = useRef<number | null>(null);
  const chosen = useChosen(options);
  const offered = useOffered(query, options);
  const at = Math.min(place, offered.length - 1);
  const isOpen = offered.length > 0;

  // Move the caret behind the name after the text has been rendered.
  useLayoutEffect(() => {
    if (caret.current === null) return;
    field.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  const close = () => setQuery(null);
  const onCaret = () => {
    const box = field.current;
    if (box === null) return;
    const next = box.selectionStart === box.selectionEnd ? queryBefore(box.value, box.selectionEnd) : null;
    if (next?.at === query?.at && next?.typed === query?.typed) return;
    setPlace(0);
    setQuery(next);
  };
  const choose = ({ text, mentioned }: Suggestion) => {
    if (query === null || field.current === null) return;
    const next = insertAt(field.current.value, query, text);
    if (mentioned !== null) chosen.add(mentioned);
    caret.current = next.caret;
    onText(next.text);
    close();
    field.current.focus();
  };
  const append = (mentioned: Mentioned) => {
    const box = field.current;
    if (box === null) return;
    const gap = box.value === '' || /\s$/.test(box.value) ? '' : ' ';
    const text = `${box.value}${gap}@${mentioned.name} `;
    chosen.add(mentioned);
    caret.current = text.length;
    onText(text);
    box.focus();
  };
  const onKey = (event: KeyboardEvent): boolean => {
    const now = offered[at];
    // During a composition, the key belongs to the input method.
    if (now === undefined || event.isComposing || event.keyCode === 229) return false;
    if (event.key === 'ArrowDown') setPlace((at + 1) % offered.length);
    else if (event.key === 'ArrowUp') setPlace((at + offered.length - 1) % offered.length);
    else if (event.key === 'Escape') close();
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) choose(now);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return {
    ...{ onKey, onCaret, close, append, offered, at, choose, listId },
    kind: query?.kind ?? 'mention',
    mentionsIn: chosen.mentionsIn,
    forget: chosen.forget,
    aria: {
      // A multi-line field cannot be a combobox. Screen readers get the number of suggestions
      // instead.
      'aria-autocomplete': 'list',
      'aria-haspopup': 'listbox',
      'aria-controls': isOpen ? listId : undefined,
      'aria-activedescendant': isOpen ? `${listId}-${at}` : undefined,
    },
  };
}

/** The list of suggestions above the text field. */
export function SuggestionList({ suggestions }: { suggestions: SuggestionField }) {
  const { kind, offered } = suggestions;
  const { t } = useWords();
  const count = offered.length;
  return (
    <>
      <p class="sr-only" role="status">
        {count > 0 && (kind === 'emoji' ? t.emojiOffers(count) : t.mentionOffers(count))}
      </p>
      {count > 0 && <Offers {...suggestions} />}
    </>
  );
}

function Offers({ kind, offered, at, choose, listId }: SuggestionField) {
  const { t } = useWords();
  return (
    <div
      class="suggestions"
      id={listId}
      role="listbox"
      aria-label={kind === 'emoji' ? t.insertEmoji : t.mentionSomeone}
      data-testid={`${kind}-list`}
    >
      {offered.map((one, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the text field move in the list and choose
        <div
          key={one.id}
          id={`${listId}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          // Keep the focus in the text field.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => choose(one)}
        >
          {one.emoji !== null && <span class="suggestion-emoji">{one.emoji}</span>}
          <bdi>{one.name}</bdi>
        </div>
      ))}
    </div>
  );
}
