/** Suggests emoji for the name that the user types. The data loads with the first query. */
import { useEffect, useState } from 'preact/hooks';
import type { Language } from '../i18n/languages.ts';
import type { Emoji } from './find.ts';

const OFFERED_MAX = 6;
const NONE: readonly Emoji[] = [];

/** @param typed null if no emoji name is being typed */
export function useEmojiOffers(typed: string | null, language: Language): readonly Emoji[] {
  const [found, setFound] = useState(NONE);
  useEffect(() => {
    if (typed === null) return;
    let isCurrent = true;
    const show = (emoji: readonly Emoji[]) => {
      if (isCurrent) setFound(emoji);
    };
    import('./index.ts')
      .then(({ searchEmoji }) => searchEmoji(typed, language, OFFERED_MAX))
      .then(show, () => show(NONE));
    return () => {
      isCurrent = false;
      show(NONE);
    };
  }, [typed, language]);
  return typed === null ? NONE : found;
}
