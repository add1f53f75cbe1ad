import { SEARCH_TEXT_LIMITS } from './limits.ts';
import { merge, type Span, spansOf } from './match.ts';
import type { ParsedQuery } from './query.ts';

/** A part of a text, for a list of results. It is plain text: nothing in it is markup. */
export interface Snippet {
  text: string;
  /** Places of the query's terms in `text`, in UTF-16 units. Ascending, without overlaps. */
  marks: Span[];
}

const ELLIPSIS = '…';
const LINE_BREAK = /[\n\r\t\u2028\u2029]/g;
/** Maximum part of a snippet before the first mark. */
const LEAD = 1 / 4;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Finds edges of graphemes, so that cuts and marks never split a visible character. */
function edgesOf(text: string) {
  const segments = graphemes.segment(text);
  return {
    down: (at: number): number => segments.containing(at)?.index ?? text.length,
    up(at: number): number {
      const { index, segment } = segments.containing(at - 1) ?? { index: 0, segment: '' };
      return index + segment.length;
    },
  };
}

/** The part of the text around the first match, at most `charsMax` UTF-16 units. */
export function snippetOf(text: string, parsed: ParsedQuery, charsMax: number): Snippet {
  const edges = edgesOf(text);
  const spans = spansOf(text, parsed).slice(0, SEARCH_TEXT_LIMITS.snippetMarksMax);
  const whole = merge(spans.map(([start, end]) => [edges.down(start), edges.up(end)]));
  const [from, to] = windowOf(text, whole[0]?.[0] ?? 0, charsMax, edges);
  const [before, after] = [from > 0 ? ELLIPSIS : '', to < text.length ? ELLIPSIS : ''];
  const marks: Span[] = [];
  for (const [start, end] of whole) {
    const cut: Span = [Math.max(start, from), Math.min(end, to)];
    if (cut[0] < cut[1]) marks.push([cut[0] - from + before.length, cut[1] - from + before.length]);
  }
  return { text: before + text.slice(from, to).replace(LINE_BREAK, ' ') + after, marks };
}

function windowOf(text: string, first: number, charsMax: number, edges: ReturnType<typeof edgesOf>): Span {
  if (text.length <= charsMax) return [0, text.length];
  const room = Math.max(0, charsMax - 2 * ELLIPSIS.length);
  // The end of the text should also fill the snippet.
  const wanted = Math.max(0, Math.min(first - Math.floor(room * LEAD), text.length - room));
  // Rounding down would exceed the maximum length.
  const from = wanted === 0 ? 0 : edges.up(wanted);
  return [from, Math.max(from, from + room >= text.length ? text.length : edges.down(from + room))];
}
