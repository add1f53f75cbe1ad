/** Shortens long messages until the reader expands them. Pure. */

export const FOLD = {
  /** A text with more lines is folded. */
  linesMax: 20,
  charsMax: 1_600,
  /** Number of lines that a folded text shows. */
  linesShown: 12,
  charsShown: 1_000,
} as const;

/** The cut moves back to the end of a word, by this many characters at most. */
const WORD_CHARS_MAX = 40;

/** The index of the n-th newline. -1 if the text has fewer. */
function endOfLine(text: string, lines: number): number {
  let at = -1;
  for (let line = 0; line < lines; line++) {
    at = text.indexOf('\n', at + 1);
    if (at === -1) return -1;
  }
  return at;
}

export const isLong = (text: string): boolean => text.length > FOLD.charsMax || endOfLine(text, FOLD.linesMax) !== -1;

/** The beginning of a long text. The cut is between words, or at least between graphemes. */
export function beginningOf(text: string): string {
  const lineEnd = endOfLine(text, FOLD.linesShown);
  if (lineEnd !== -1 && lineEnd <= FOLD.charsShown) return text.slice(0, lineEnd);
  const head = text.slice(0, FOLD.charsShown);
  const space = head.search(/\s\S*$/);
  if (space > FOLD.charsShown - WORD_CHARS_MAX) return head.slice(0, space);
  const [...graphemes] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(head);
  // The last grapheme may continue behind the cut, so drop it.
  return head.slice(0, graphemes.at(-1)?.index || head.length);
}

/** Which long messages the reader has expanded. Lasts as long as the page. */
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
