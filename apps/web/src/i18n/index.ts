/**
 * The words of the page in its language. A page loads one language, and another when it is chosen.
 */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Catalogue, LanguagePack, Section, Sections } from './catalogue.ts';
import { LANGUAGES, type Language } from './languages.ts';

export interface Words {
  language: Language;
  t: Catalogue;
  pack: LanguagePack;
  /** Those that are loaded. */
  sections: Partial<Sections>;
}

/** Sections that are in use: a switch of the language loads them with it. */
const used = new Set<Section>();

export async function loadWords(language: Language): Promise<Words> {
  const { pack } = await LANGUAGES[language].load();
  const words: Words = { language, t: pack.main, pack, sections: {} };
  // Another section may have been added since.
  while ([...used].some((section) => words.sections[section] === undefined)) await addSections(words, [...used]);
  return words;
}

/** After it, `useSection` finds the sections. */
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

/** The words of a part of the page. `useLazyPart` MUST have loaded them with the part. */
export function useSection<S extends Section>(section: S): Sections[S] {
  const words = useWords().sections[section];
  if (words === undefined) throw new Error(`the words of ${section} are not loaded`);
  return words;
}
