/**
 * Pieces: the units of a folded text that a search compares. A word is one piece. In a script
 * without spaces between words, or with particles at the ends of words (Korean), a run is one
 * piece, and is searched by its parts. Each emoji is a piece.
 */
export interface Piece {
  text: string;
  /** Place in the folded text, in UTF-16 units. */
  start: number;
  /** True for a run that may hold several words, such as `한국어를` or `東京都`. */
  run: boolean;
}

const RUN_SCRIPTS =
  '\\p{sc=Hangul}\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Bopomofo}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}\\u30fc\\u3099\\u309a';
const PIECE = new RegExp(
  `(?<run>[${RUN_SCRIPTS}]+)|(?<word>(?:(?![${RUN_SCRIPTS}])[\\p{L}\\p{N}\\p{M}_])+)|\\p{RI}{2}|\\p{Extended_Pictographic}`,
  'gu',
);

export function piecesOf(folded: string): Piece[] {
  const pieces: Piece[] = [];
  for (const found of folded.matchAll(PIECE)) {
    pieces.push({ text: found[0], start: found.index, run: found.groups?.run !== undefined });
  }
  return pieces;
}
