import { type Folded, fold } from './fold.ts';
import { type Piece, piecesOf } from './pieces.ts';
import type { ParsedQuery, Term } from './query.ts';

/** A part of a text, in UTF-16 units: start, and exclusive end. */
export type Span = [start: number, end: number];

/** All places of `part` in the piece, as spans of the folded text. */
function placesIn(piece: Piece, part: string): Span[] {
  const spans: Span[] = [];
  for (let at = piece.text.indexOf(part); at >= 0; at = piece.text.indexOf(part, at + part.length)) {
    spans.push([piece.start + at, piece.start + at + part.length]);
  }
  return spans;
}

/**
 * Finds the wanted piece in a piece of the text. `before` and `after`: the term has neighbours on
 * that side, so the match must reach that end of the piece.
 */
function match(piece: Piece, wanted: Term['pieces'][number], prefix: boolean, before: boolean, after: boolean): Span[] {
  const { text } = wanted;
  const end = piece.start + piece.text.length;
  if (piece.run !== wanted.run) return [];
  if (piece.text === text) return [[piece.start, end]];
  if (!wanted.run) return prefix && piece.text.startsWith(text) ? [[piece.start, piece.start + text.length]] : [];
  if (before && after) return [];
  if (before) return piece.text.startsWith(text) ? [[piece.start, piece.start + text.length]] : [];
  if (after) return piece.text.endsWith(text) ? [[end - text.length, end]] : [];
  return placesIn(piece, text);
}

/** Places of the term, as spans of the folded text. */
function find(pieces: readonly Piece[], { pieces: wanted, prefix }: Term): Span[] {
  const last = wanted.length - 1;
  const found: Span[] = [];
  for (let from = 0; from + last < pieces.length; from += 1) {
    const spans: Span[][] = [];
    for (const [index, part] of wanted.entries()) {
      const piece = pieces[from + index] as Piece;
      const here = match(piece, part, prefix && index === last, index > 0, index < last);
      if (here.length === 0) break;
      spans.push(here);
    }
    if (spans.length <= last) continue;
    if (last === 0) found.push(...(spans[0] as Span[]));
    else found.push([spans[0]?.[0]?.[0] as number, spans[last]?.[0]?.[1] as number]);
  }
  return found;
}

/** Whether the text has all terms of the query, and none of the excluded ones. */
export function matches(text: string, { terms, excluded }: ParsedQuery): boolean {
  const pieces = piecesOf(fold(text).text);
  const has = (term: Term) => find(pieces, term).length > 0;
  return terms.every(has) && !excluded.some(has);
}

const toOriginal = ({ starts, ends }: Folded, [start, end]: Span): Span => [
  starts[start] as number,
  ends[end - 1] as number,
];

/** Places of the terms in the text: ascending, without overlaps. */
export function spansOf(text: string, { terms }: ParsedQuery): Span[] {
  const folded = fold(text);
  const pieces = piecesOf(folded.text);
  const all = terms.flatMap((term) => find(pieces, term)).map((span) => toOriginal(folded, span));
  return merge(all);
}

export function merge(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const [start, end] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const previous = merged.at(-1);
    if (previous !== undefined && start < previous[1]) previous[1] = Math.max(previous[1], end);
    else merged.push([start, end]);
  }
  return merged;
}
