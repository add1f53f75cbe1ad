/** Finds emoji by their names. Pure. */

export interface Emoji {
  emoji: string;
  /** The name, in the language of the search. */
  name: string;
}

interface Indexed extends Emoji {
  /** The words that a query is compared with: the name first, then others. */
  words: string[];
}

export type EmojiIndex = readonly Indexed[];

/**
 * Splits Hangul syllables into letters. So a syllable that is still being composed matches: `우` and
 * `웃ㄴ` find `웃는`.
 */
const lettersOf = (text: string): string => text.normalize('NFKD').toLowerCase();

/** @param lines in the format of emoji-plugin.ts */
export function indexOf(lines: string): EmojiIndex {
  return lines.split('\n').map((line) => {
    const [emoji = '', name = '', ...others] = line.split('|');
    return { emoji, name, words: [name, ...others].map(lettersOf) };
  });
}

const RANKS = 6;

const begins = (words: string, typed: string): boolean => words.split(/[ _]/).some((word) => word.startsWith(typed));

/** The rank of a match: lower is better. `RANKS` means no match. */
function rankOf({ words: [name = '', ...others] }: Indexed, typed: string): number {
  if (name === typed) return 0;
  if (name.startsWith(typed)) return 1;
  if (name.split(' ').includes(typed)) return 2;
  if (others.includes(typed)) return 3;
  if (begins(name, typed)) return 4;
  return others.some((word) => word.startsWith(typed) || begins(word, typed)) ? 5 : RANKS;
}

/** An emoji matches if each typed word is the beginning of one of its words. Best matches first. */
export function findEmoji(indexes: readonly EmojiIndex[], query: string, max: number): Emoji[] {
  const whole = lettersOf(query.trim());
  const typed = whole.split(/[\s_]+/);
  const ranked: Emoji[][] = Array.from({ length: RANKS }, () => []);
  for (const one of indexes.flat()) {
    const rank = Math.min(rankOf(one, whole), Math.max(...typed.map((word) => rankOf(one, word))));
    ranked[rank]?.push({ emoji: one.emoji, name: one.name });
  }
  const found = new Map<string, Emoji>();
  for (const one of ranked.flat()) if (!found.has(one.emoji)) found.set(one.emoji, one);
  return [...found.values()].slice(0, max);
}
