/** The language: the browser's, or the reader's choice, which is stored as a preference. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Catalogue, en } from './en.ts';
import { ko } from './ko.ts';

export type Language = 'ko' | 'en';

export const catalogues: Record<Language, Catalogue> = { ko, en };

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

export const WordsContext = createContext<Words>({ language: 'en', t: en });

export const useWords = (): Words => useContext(WordsContext);
