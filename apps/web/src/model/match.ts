/**
 * Whether a name contains a query. The case does not matter. Unfinished Hangul syllables match (고
 * matches 공지), and so do initials (ㄱㅈ). Pure.
 */

const INITIALS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
const MEDIALS = 'ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ'.split(' ');
const FINALS =
  ' ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ'.split(' ');
const FIRST_SYLLABLE = 0xac00;

/** The index of a Hangul syllable in Unicode. Null for other characters. */
const placeOf = (char: string): number | null => (/[가-힣]/.test(char) ? char.charCodeAt(0) - FIRST_SYLLABLE : null);

const initialOf = (char: string): string => {
  const place = placeOf(char);
  return place === null ? char : (INITIALS[Math.floor(place / 588)] ?? char);
};

/** The letters of a syllable in the order in which they are typed. */
const keysOf = (char: string): string => {
  const place = placeOf(char);
  if (place === null) return char;
  return initialOf(char) + MEDIALS[Math.floor(place / 28) % 21] + FINALS[place % 28];
};

const mapped = (text: string, map: (char: string) => string): string => [...text].map(map).join('');
const folded = (text: string): string => text.normalize('NFC').toLowerCase();

/** Each word of the query MUST occur in one of the names. */
export function matches(query: string, names: readonly string[]): boolean {
  const texts = names.map(folded);
  return folded(query)
    .split(/\s+/)
    .filter((word) => word !== '')
    .every((word) => texts.some((text) => hasWord(text, word)));
}

function hasWord(text: string, word: string): boolean {
  if (text.includes(word)) return true;
  if (!/[ㄱ-ㅎㅏ-ㅣ가-힣]/.test(word)) return false;
  if (/^[^ㅏ-ㅣ가-힣]*$/.test(word)) return mapped(text, initialOf).includes(word);
  return mapped(text, keysOf).includes(mapped(word, keysOf));
}
