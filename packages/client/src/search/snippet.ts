/** Splits a snippet into marked and unmarked pieces. Pure. */
import type { SnippetPart } from './types.ts';

/**
 * `marks`: start and end, in UTF-16 units. Marks outside the text, empty or overlapping marks are
 * cut. So for any marks, the pieces together are the text.
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
