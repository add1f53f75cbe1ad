/** The texts of the page. The page loads one language, and another one when the user chooses it. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Catalogue, LanguagePack, Section, Sections } from './catalogue.ts';
import { LANGUAGES, type Language } from './languages.ts';

export interface Words {
  language: Language;
  t: Catalogue;
  pack: LanguagePack;
  /** The sections that are loaded. */
  sections: Partial<Sections>;
}

/** Sections in use. A change of the language loads them too. */
const used = new Set<Section>();

export async function loadWords(language: Language): Promise<Words> {
  const { pack } = await LANGUAGES[language].load();
  const words: Words = { language, t: pack.main, pack, sections: {} };
  // Repeat, because another section may have been added during the load.
  while ([...used].some((section) => words.sections[section] === undefined)) await addSections(words, [...used]);
  return words;
}

/** Loads sections, so that `useSection` finds them. */
export async function addSections(words: Words, sections: readonly Section[]): Promise<void> {
  for (const section of sections) used.add(section);
  await Promise.all(sections.map((section) => addSection(words, section)));
}

async function addSection<S extends Section>({ pack, sections }: Words, section: S): Promise<void> {
  sections[section] ??= await pack.sections[section]();
}

export const WordsContext = createContext<Words | null>(null);

export function useWords(): Words {
  const words = useContext(WordsContext);
  if (words === null) throw new Error('the page has no words');
  return words;
}

/** The texts of a part of the page. `useLazyPart` MUST have loaded them together with the part. */
export function useSection<S extends Section>(section: S): Sections[S] {
  const words = useWords().sections[section];
  if (words === undefined) throw new Error(`the words of ${section} are not loaded`);
  return words;
}
