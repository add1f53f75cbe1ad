/** The language: the browser's, or the reader's choice, which is stored as a preference. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Catalogue } from './en.ts';

export type Language = 'ko' | 'en';

/** A page loads one language, and the other one when its reader switches. */
export const loadCatalogue = (language: Language): Promise<Catalogue> =>
  language === 'ko' ? import('./ko.ts').then(({ ko }) => ko) : import('./en.ts').then(({ en }) => en);

export const otherLanguage = (language: Language): Language => (language === 'ko' ? 'en' : 'ko');

/** The first supported language of the browser; English otherwise. */
export function chooseLanguage(preferred: readonly string[], remembered: string | null): Language {
  if (remembered === 'ko' || remembered === 'en') return remembered;
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'ko' || language === 'en') return language;
  }
  return 'en';
}

export interface Words {
  language: Language;
  t: Catalogue;
}

export const WordsContext = createContext<Words | null>(null);

export function useWords(): Words {
  const words = useContext(WordsContext);
  if (words === null) throw new Error('the page has no words');
  return words;
}
