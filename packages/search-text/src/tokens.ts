import { normalise } from './fold.ts';
import { SEARCH_TEXT_LIMITS } from './limits.ts';
import { type Piece, piecesOf } from './pieces.ts';

/** The first code points of a word: the part in the index. */
export function cutToken(word: string): string {
  const { tokenCodePointsMax } = SEARCH_TEXT_LIMITS;
  if (word.length <= tokenCodePointsMax) return word;
  return Array.from(word).slice(0, tokenCodePointsMax).join('');
}

/**
 * The pairs of neighbouring characters in a run: `한국어` gives 한국, 국어. So each part with two or more
 * characters is found by its pairs.
 */
export function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/**
 * The pairs, and the last character alone. A query of one character finds pairs that begin with it.
 * The last character begins no pair.
 */
function tokensOfPiece(piece: Piece): string[] {
  if (!piece.run) return [cutToken(piece.text)];
  return [...pairsOf(piece.text), Array.from(piece.text).at(-1) as string];
}

/** The tokens of a text in the index. */
export function tokensOf(text: string): Set<string> {
  const tokens = new Set<string>();
  for (const piece of piecesOf(normalise(text))) {
    for (const token of tokensOfPiece(piece)) {
      if (tokens.size === SEARCH_TEXT_LIMITS.tokensPerMessageMax) return tokens;
      tokens.add(token);
    }
  }
  return tokens;
}
