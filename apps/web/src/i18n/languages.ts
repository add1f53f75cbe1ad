/** The languages of the page. To add one, add a folder like `en/`, and a line here. */
import type { LanguagePack } from './catalogue.ts';

interface LanguageEntry {
  /** The name of the language in the language itself, so that its speakers recognize it. */
  name: string;
  load: () => Promise<{ pack: LanguagePack }>;
}

export const LANGUAGES = {
  en: { name: 'English', load: () => import('./en/index.ts') },
  ko: { name: '한국어', load: () => import('./ko/index.ts') },
} satisfies Record<string, LanguageEntry>;

export type Language = keyof typeof LANGUAGES;

export const LANGUAGE_CODES = Object.keys(LANGUAGES) as Language[];

const FALLBACK: Language = 'en';

const languageOf = (tag: string): Language | undefined => {
  const wanted = tag.toLowerCase();
  return (
    LANGUAGE_CODES.find((code) => code.toLowerCase() === wanted) ??
    LANGUAGE_CODES.find((code) => code.toLowerCase() === wanted.split('-')[0])
  );
};

/** The stored choice, or else the first of the browser's languages that the page has. */
export function chooseLanguage(preferred: readonly string[], remembered: string | null): Language {
  const chosen = LANGUAGE_CODES.find((code) => code === remembered);
  return chosen ?? preferred.map(languageOf).find((code) => code !== undefined) ?? FALLBACK;
}

/** The next language in the list, for a button that cycles through them. */
export function nextLanguage(language: Language): Language {
  const index = LANGUAGE_CODES.indexOf(language);
  return LANGUAGE_CODES[(index + 1) % LANGUAGE_CODES.length] ?? FALLBACK;
}
