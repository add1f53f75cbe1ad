/** Finds emoji by their names. Pure. */

export interface Emoji {
  emoji: string;
  /** In the language of the words by which it was found. */
  name: string;
}

interface Indexed extends Emoji {
  /** Compared with what was typed: the name, then other words. */
  words: string[];
}

export type EmojiIndex = readonly Indexed[];

/**
 * Korean as single letters, so that a syllable in the middle of its composition finds the whole
 * one: `우` and `웃ㄴ` find `웃는`.
 */
const lettersOf = (text: string): string => text.normalize('NFKD').toLowerCase();

/** @param lines as emoji-plugin.ts makes them */
export function indexOf(lines: string): EmojiIndex {
  return lines.split('\n').map((line) => {
    const [emoji = '', name = '', ...others] = line.split('|');
    return { emoji, name, words: [name, ...others].map(lettersOf) };
  });
}

const RANKS = 6;

const begins = (words: string, typed: string): boolean => words.split(/[ _]/).some((word) => word.startsWith(typed));

/** Lower is better. `RANKS`: not found. */
function rankOf({ words: [name = '', ...others] }: Indexed, typed: string): number {
  if (name === typed) return 0;
  if (name.startsWith(typed)) return 1;
  if (name.split(' ').includes(typed)) return 2;
  if (others.includes(typed)) return 3;
  if (begins(name, typed)) return 4;
  return others.some((word) => word.startsWith(typed) || begins(word, typed)) ? 5 : RANKS;
}

/** Every word that was typed begins a word of the emoji. The best ones come first. */
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
