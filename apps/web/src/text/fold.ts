/** Long messages show their beginning until the reader asks for the rest. Pure. */

export const FOLD = {
  /** A longer text is folded. */
  linesMax: 20,
  charsMax: 1_600,
  /** What is shown of it. */
  linesShown: 12,
  charsShown: 1_000,
} as const;

/** A word that is cut off is not longer than this. */
const WORD_CHARS_MAX = 40;

/** Where the newline after so many lines is; -1 if there are not so many. */
function endOfLine(text: string, lines: number): number {
  let at = -1;
  for (let line = 0; line < lines; line++) {
    at = text.indexOf('\n', at + 1);
    if (at === -1) return -1;
  }
  return at;
}

export const isLong = (text: string): boolean => text.length > FOLD.charsMax || endOfLine(text, FOLD.linesMax) !== -1;

/** The beginning of a long text. It ends between two words, or two characters. */
export function beginningOf(text: string): string {
  const lineEnd = endOfLine(text, FOLD.linesShown);
  if (lineEnd !== -1 && lineEnd <= FOLD.charsShown) return text.slice(0, lineEnd);
  const head = text.slice(0, FOLD.charsShown);
  const space = head.search(/\s\S*$/);
  if (space > FOLD.charsShown - WORD_CHARS_MAX) return head.slice(0, space);
  const [...graphemes] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(head);
  // The last one may go on behind the cut.
  return head.slice(0, graphemes.at(-1)?.index || head.length);
}

/** Which long messages the reader has opened, as long as the page is open. */
export interface Folds {
  isOpen: (key: string) => boolean;
  set: (key: string, isOpen: boolean) => void;
}

export function createFolds(): Folds {
  const open = new Set<string>();
  return {
    isOpen: (key) => open.has(key),
    set: (key, isOpen) => void (isOpen ? open.add(key) : open.delete(key)),
  };
}
