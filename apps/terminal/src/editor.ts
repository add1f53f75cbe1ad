/**
 * The line editor of the prompt. The caret moves by graphemes, so a Korean syllable or an emoji is
 * one step. Pure.
 */

export interface Line {
  readonly text: string;
  /** In UTF-16 units, always between two graphemes. */
  readonly caret: number;
}

export const EMPTY: Line = { text: '', caret: 0 };
export const lineOf = (text: string): Line => ({ text, caret: text.length });

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The indexes at which graphemes begin, and the end. */
function stops(text: string): number[] {
  const starts = Array.from(segmenter.segment(text), ({ index }) => index);
  return [...starts, text.length];
}

const before = ({ text, caret }: Line): number => stops(text).findLast((stop) => stop < caret) ?? 0;
const after = ({ text, caret }: Line): number => stops(text).find((stop) => stop > caret) ?? text.length;

export const insert = ({ text, caret }: Line, typed: string): Line => ({
  text: text.slice(0, caret) + typed + text.slice(caret),
  caret: caret + typed.length,
});

export const left = (line: Line): Line => ({ ...line, caret: before(line) });
export const right = (line: Line): Line => ({ ...line, caret: after(line) });
export const toStart = (line: Line): Line => ({ ...line, caret: 0 });
export const toEnd = (line: Line): Line => lineOf(line.text);

const cut = ({ text }: Line, from: number, to: number): Line => ({
  text: text.slice(0, from) + text.slice(to),
  caret: from,
});

export const backspace = (line: Line): Line => cut(line, before(line), line.caret);
export const deleteForward = (line: Line): Line => cut(line, line.caret, after(line));
export const deleteToStart = (line: Line): Line => cut(line, 0, line.caret);

/** Deletes the word before the caret and the spaces after it. */
export function deleteWord(line: Line): Line {
  const kept = line.text.slice(0, line.caret).replace(/\S*\s*$/, '');
  return cut(line, kept.length, line.caret);
}
