import { normalise } from './fold.ts';
import { SEARCH_TEXT_LIMITS } from './limits.ts';
import { piecesOf } from './pieces.ts';

/** Successive pieces of a text: a word, a phrase, or a word with a hyphen. */
export interface Term {
  pieces: Array<{ text: string; run: boolean }>;
  /** The last piece also matches longer words. */
  prefix: boolean;
}

export interface ParsedQuery {
  /** A text must have all of these. At least one. */
  terms: Term[];
  /** A text must have none of these. */
  excluded: Term[];
}

const QUOTES = /[“”„‟«»＂]/g;
/** `"a phrase"`, whose closing quote may be missing, or text between spaces. */
const PART = /(?<minus>-?)(?:"(?<phrase>[^"]*)"?|(?<word>[^\s"]+))/gu;

/**
 * Parses `word "a phrase" -without`. The last word is unfinished unless a space follows, so it also
 * matches longer words. Undefined if the query has no terms or too many.
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

/** A run matches longer runs anyway. One letter would match too much. */
const mayBePrefix = (piece: Term['pieces'][number] | undefined): boolean =>
  piece !== undefined && !piece.run && Array.from(piece.text).length >= SEARCH_TEXT_LIMITS.prefixCodePointsMin;
