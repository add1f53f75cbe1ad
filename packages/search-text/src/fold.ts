/**
 * Folding: the form in which texts and queries are compared. Compatibility forms (full-width), case
 * and accents are ignored: `Café`, `ＣＡＦＥ` and `cafe` are equal.
 */

/** Letters with a stroke or a ligature have no decomposition in Unicode. */
const LETTERS: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  ς: 'σ',
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');

/**
 * Accents of Latin, Greek, Cyrillic, Hebrew and Arabic letters, and invisible characters. Other
 * marks stay, because they are vowels (Hindi, Thai) or change the consonant (か, が).
 */
const ACCENTS =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant
  /[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]|\p{Default_Ignorable_Code_Point}/gu;

/** Characters that fold to their lower case if no mark follows. Most texts have no others. */
const PLAIN = '[\\p{ASCII}\\uac00-\\ud7a3\\u4e00-\\u9fff\\u3041-\\u3096\\u30a1-\\u30fa\\u3001\\u3002]';
const MARK = '[\\p{M}\\p{Default_Ignorable_Code_Point}\\uff9e\\uff9f]';

/**
 * Plain characters; or a cluster, which is a character and the marks after it. A cluster folds as a
 * whole: `e` and U+0301 as `é`, half-width `ｶ` and `ﾞ` as `ガ`, and a run of conjoining jamo.
 */
const PART = new RegExp(
  `(?<plain>${PLAIN}+)(?!${MARK})|[\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff]+|.${MARK}*`,
  'gsu',
);

/** A single `ㅋ`. Its compatibility form would combine with the next vowel. */
const COMPATIBILITY_JAMO = /^[\u3131-\u318e]$/u;

/** A cache, because texts repeat the same clusters. */
const known = new Map<string, string>();
const KNOWN_MAX = 16_384;
const KNOWN_CHARS_MAX = 4;

function foldCluster(cluster: string): string {
  const before = known.get(cluster);
  if (before !== undefined) return before;
  const folded = COMPATIBILITY_JAMO.test(cluster)
    ? cluster
    : cluster
        .normalize('NFKC')
        .toLowerCase()
        .normalize('NFKD')
        .replace(ACCENTS, '')
        .replace(LETTER, (letter) => LETTERS[letter] as string)
        .normalize('NFC');
  if (cluster.length > KNOWN_CHARS_MAX) return folded;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(cluster, folded);
  return folded;
}

/** The text in the form that searches compare. */
export function normalise(text: string): string {
  return text.replace(PART, (part, plain: string | undefined) => plain?.toLowerCase() ?? foldCluster(part));
}

/** A folded text that maps each UTF-16 unit to its place in the original. */
export interface Folded {
  text: string;
  /** For each unit of `text`: start and end of its cluster in the original. */
  starts: number[];
  ends: number[];
}

export function fold(original: string): Folded {
  const folded: Folded = { text: '', starts: [], ends: [] };
  const add = (text: string, start: number, end: number) => {
    folded.text += text;
    for (let unit = 0; unit < text.length; unit += 1) {
      folded.starts.push(start);
      folded.ends.push(end);
    }
  };
  for (const { 0: part, index, groups } of original.matchAll(PART)) {
    if (groups?.plain === undefined) add(foldCluster(part), index, index + part.length);
    else
      for (let at = 0; at < part.length; at += 1) add((part[at] as string).toLowerCase(), index + at, index + at + 1);
  }
  return folded;
}
