/** Cuts a snippet into marked and other pieces. Pure. */
import type { SnippetPart } from './types.ts';

/**
 * `marks`: from and to, in UTF-16 units. What is outside the text, empty or overlaps an earlier
 * mark is cut off, so whatever a server sends, the pieces together are the text.
 */
export function snippetParts(text: string, marks: ReadonlyArray<readonly [number, number]>): SnippetPart[] {
  const parts: SnippetPart[] = [];
  let at = 0;
  const add = (to: number, isMarked: boolean) => {
    if (to > at) parts.push({ text: text.slice(at, to), isMarked });
    at = Math.max(at, to);
  };
  for (const [from, to] of [...marks].sort((one, other) => one[0] - other[0])) {
    add(Math.min(from, text.length), false);
    add(Math.min(to, text.length), true);
  }
  add(text.length, false);
  return parts;
}
