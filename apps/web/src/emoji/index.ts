/** Finds emoji by name, in the reader's language and in the language of the typed letters. */
import type { Language } from '../i18n/languages.ts';
import { type Emoji, type EmojiIndex, findEmoji, indexOf } from './find.ts';

export type { Emoji } from './find.ts';

interface Source {
  /** Letters of this language. A query that contains them also searches this language. */
  letters: RegExp;
  /** The lines that emoji-plugin.ts generates. */
  load: () => Promise<{ default: unknown }>;
}

const SOURCES: Record<Language, Source> = {
  en: { letters: /[a-z]/i, load: () => import('emojibase-data/en/compact.json') },
  ko: { letters: /\p{sc=Hang}/u, load: () => import('emojibase-data/ko/compact.json') },
};

const loaded = new Map<Language, Promise<EmojiIndex>>();

function indexIn(language: Language): Promise<EmojiIndex> {
  const index = loaded.get(language) ?? SOURCES[language].load().then(({ default: lines }) => indexOf(String(lines)));
  loaded.set(language, index);
  // After a failure, the next search loads again.
  index.catch(() => loaded.delete(language));
  return index;
}

export async function searchEmoji(query: string, language: Language, max = 60): Promise<Emoji[]> {
  const others = (Object.keys(SOURCES) as Language[]).filter((code) => SOURCES[code].letters.test(query));
  const indexes = await Promise.all([...new Set([language, ...others])].map(indexIn));
  return findEmoji(indexes, query, max);
}

/** The first emoji of the list: faces. */
export async function firstEmoji(language: Language, count: number): Promise<Emoji[]> {
  return (await indexIn(language)).slice(0, count).map(({ emoji, name }) => ({ emoji, name }));
}
