/**
 * All emoji: a search field, the recently used ones, and a grid. Its texts are the section `emoji`,
 * so it must be loaded with `useLazyPart`.
 */
import { useEffect, useState } from 'preact/hooks';
import { useSection, useWords } from '../i18n/index.ts';
import { withRecentEmoji } from '../settings/preferences.ts';
import { usePreferenceStore, usePreferences } from '../settings/use-preferences.ts';
import { type Emoji, firstEmoji, searchEmoji } from './index.ts';
import './emoji.css';

const SHOWN_MAX = 120;

export interface EmojiPickerProps {
  /** Prefix of element ids: one page can show several pickers. */
  id: string;
  /** Marks emoji that are already chosen. */
  isPressed?: (emoji: string) => boolean;
  onPick: (emoji: string) => void;
}

type Shown = { kind: 'loading' | 'failed' } | { kind: 'ready'; emoji: readonly Emoji[] };

function useShown(query: string): Shown {
  const { language } = useWords();
  const [shown, setShown] = useState<Shown>({ kind: 'loading' });
  useEffect(() => {
    let isCurrent = true;
    const show = (next: Shown) => {
      if (isCurrent) setShown(next);
    };
    const wanted = query.trim() === '' ? firstEmoji(language, SHOWN_MAX) : searchEmoji(query, language, SHOWN_MAX);
    wanted.then(
      (emoji) => show({ kind: 'ready', emoji }),
      () => show({ kind: 'failed' }),
    );
    return () => {
      isCurrent = false;
    };
  }, [query, language]);
  return shown;
}

export function EmojiPicker({ id, isPressed = () => false, onPick }: EmojiPickerProps) {
  const words = useSection('emoji');
  const store = usePreferenceStore();
  const { recentEmoji } = usePreferences();
  const [query, setQuery] = useState('');
  const shown = useShown(query);
  const isSearch = query.trim() !== '';
  const pick = (emoji: string) => {
    store.set({ recentEmoji: withRecentEmoji(recentEmoji, emoji) });
    onPick(emoji);
  };
  const emoji = shown.kind === 'ready' ? shown.emoji : [];
  const recent = isSearch ? [] : recentEmoji.map((one) => ({ emoji: one, name: one }));
  return (
    <fieldset class="emoji-picker" data-testid="emoji-picker" aria-label={words.first} onKeyDown={onGridKey}>
      <label class="sr-only" for={`${id}-emoji-search`}>
        {words.search}
      </label>
      <input
        id={`${id}-emoji-search`}
        type="search"
        data-testid="emoji-search"
        placeholder={words.searchHint}
        autocomplete="off"
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          const [first] = emoji;
          if (event.key !== 'Enter' || event.isComposing) return;
          event.preventDefault();
          if (isSearch && first !== undefined) pick(first.emoji);
        }}
      />
      <p class="hint" role="status">
        {shown.kind === 'failed'
          ? words.failed
          : isSearch && shown.kind === 'ready' && emoji.length === 0
            ? words.nothing
            : ''}
      </p>
      <div class="emoji-scroll">
        <Grid label={words.recent} emoji={recent} {...{ isPressed, pick }} />
        <Grid label={isSearch ? words.found : words.first} {...{ emoji, isPressed, pick }} />
      </div>
    </fieldset>
  );
}

interface GridProps {
  label: string;
  emoji: readonly Emoji[];
  isPressed: (emoji: string) => boolean;
  pick: (emoji: string) => void;
}

/** One Tab stop. Arrow keys move inside the grid. */
function Grid({ label, emoji, isPressed, pick }: GridProps) {
  if (emoji.length === 0) return null;
  return (
    <>
      <p class="emoji-heading" aria-hidden="true">
        {label}
      </p>
      <fieldset class="emoji-grid" aria-label={label}>
        {emoji.map((one, index) => (
          <button
            key={one.emoji}
            type="button"
            class="emoji-button"
            data-testid="emoji"
            data-emoji={one.emoji}
            tabIndex={index === 0 ? 0 : -1}
            aria-label={one.name}
            aria-pressed={isPressed(one.emoji)}
            title={one.name}
            onClick={() => pick(one.emoji)}
          >
            <span aria-hidden="true">{one.emoji}</span>
          </button>
        ))}
      </fieldset>
    </>
  );
}

/** Arrow keys move in the grid. The number of columns depends on the width. */
function onGridKey(event: KeyboardEvent): void {
  const picker = event.currentTarget as HTMLElement;
  const buttons = [...picker.querySelectorAll<HTMLElement>('.emoji-grid .emoji-button')];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const search = picker.querySelector<HTMLElement>('input');
  const isSearch = document.activeElement === search;
  if (isSearch ? event.key !== 'ArrowDown' : at === -1) return;
  const next = isSearch ? buttons[0] : target(buttons, at, event.key);
  if (next === undefined) return;
  event.preventDefault();
  (next ?? search)?.focus();
}

/** Undefined if the key does not move. Null if it leaves the grid at the upper edge. */
function target(buttons: HTMLElement[], at: number, key: string): HTMLElement | null | undefined {
  const now = buttons[at];
  if (now === undefined) return undefined;
  if (key === 'ArrowLeft') return buttons[at - 1] ?? null;
  if (key === 'ArrowRight') return buttons[at + 1];
  if (key === 'Home') return buttons[0];
  if (key === 'End') return buttons.at(-1);
  const { left, top } = now.getBoundingClientRect();
  const near = (one: HTMLElement) => Math.abs(one.getBoundingClientRect().left - left) < 4;
  if (key === 'ArrowDown')
    return buttons.slice(at + 1).find((one) => near(one) && one.getBoundingClientRect().top > top);
  if (key !== 'ArrowUp') return undefined;
  return buttons.slice(0, at).findLast((one) => near(one) && one.getBoundingClientRect().top < top) ?? null;
}
