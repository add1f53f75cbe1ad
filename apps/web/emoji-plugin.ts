/**
 * Reduces the emoji data to what a search needs: one line for each emoji, with its name and other
 * words.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

interface CompactEmoji {
  unicode: string;
  hexcode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

const SOURCE = /[\\/]emojibase-data[\\/](\w+)[\\/]compact\.json$/;
/** The group of skin tones and hair components, which are not emoji of their own. */
const COMPONENTS = 2;

type Shortcodes = Record<string, string | string[]>;

/**
 * The one spelling of an emoji: 👍 without a variation selector. With two spellings, reactions would
 * be counted separately.
 */
function canonical(emoji: string): string {
  const bare = emoji.replaceAll('\ufe0f', '');
  return /^\p{RGI_Emoji}$/v.test(bare) ? bare : emoji;
}

export function emojiLines(all: CompactEmoji[], shortcodes: Shortcodes): string {
  return all
    .filter(({ group }) => group !== undefined && group !== COMPONENTS)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ unicode, hexcode, label, tags = [] }) => {
      const others = new Set([...tags, ...[shortcodes[hexcode] ?? []].flat()]);
      return [canonical(unicode), label, ...[...others].filter((word) => !label.split(' ').includes(word))].join('|');
    })
    .join('\n');
}

export function emojiPlugin(): Plugin {
  const require = createRequire(import.meta.url);
  const read = (file: string) => JSON.parse(readFileSync(require.resolve(`emojibase-data/${file}`), 'utf8'));
  return {
    name: 'emoji-data',
    enforce: 'pre',
    transform(code, id) {
      const [, language] = SOURCE.exec(id) ?? [];
      if (language === undefined) return null;
      // Only English has shortcodes, the names that people type between colons: `tada`.
      const shortcodes = language === 'en' ? read('en/shortcodes/emojibase.json') : {};
      return { code: JSON.stringify(emojiLines(JSON.parse(code), shortcodes)), map: null };
    },
  };
}
