import { normalise } from './fold.ts';
import { SEARCH_TEXT_LIMITS } from './limits.ts';
import { piecesOf } from './pieces.ts';

/** Pieces that follow each other in a text: a word, a phrase, or a word with a hyphen. */
export interface Term {
  pieces: Array<{ text: string; run: boolean }>;
  /** The last piece also finds longer words. */
  prefix: boolean;
}

export interface ParsedQuery {
  /** A text has all of these. At least one. */
  terms: Term[];
  /** A text has none of these. */
  excluded: Term[];
}

const QUOTES = /[“”„‟«»＂]/g;
/** `"a phrase"`, whose second quote may be missing, or what stands between spaces. */
const PART = /(?<minus>-?)(?:"(?<phrase>[^"]*)"?|(?<word>[^\s"]+))/gu;

/**
 * Reads `word "a phrase" -without`. The last word is unfinished unless a space follows: it finds
 * longer words, too. Undefined: the query has nothing to look for, or too many terms.
 */
export function parseQuery(query: string): ParsedQuery | undefined {
  const text = query.replace(QUOTES, '"');
  const parsed: ParsedQuery = { terms: [], excluded: [] };
  for (const found of text.matchAll(PART)) {
    const { minus = '', phrase, word = '' } = found.groups ?? {};
    const pieces = piecesOf(normalise(phrase ?? word)).map(({ text, run }) => ({ text, run }));
    if (pieces.length === 0) continue;
    const isUnfinished = phrase === undefined && found.index + found[0].length === text.length;
    const isExcluded = minus !== '';
    const prefix = isUnfinished && !isExcluded && mayBePrefix(pieces.at(-1));
    (isExcluded ? parsed.excluded : parsed.terms).push({ pieces, prefix });
  }
  const count = parsed.terms.length + parsed.excluded.length;
  return parsed.terms.length === 0 || count > SEARCH_TEXT_LIMITS.queryTermsMax ? undefined : parsed;
}

/** A run finds longer runs anyway. One letter would find too much. */
const mayBePrefix = (piece: Term['pieces'][number] | undefined): boolean =>
  piece !== undefined && !piece.run && Array.from(piece.text).length >= SEARCH_TEXT_LIMITS.prefixCodePointsMin;
