/**
 * Emphasis, strikethrough and addresses inside lines. Emphasis works next to Korean particles.
 * CommonMark rejects `**"강조"**는`, because punctuation precedes the closing stars and a letter
 * follows.
 */
import { type DelimiterType, InlineContext, type InlineParser } from '@lezer/markdown';
import { addressLength } from './links.ts';

const STAR = 42;
const UNDERSCORE = 95;
const TILDE = 126;
const RUN_MAX = 3;

const WORD = /[\p{L}\p{N}]/u;
/** Scripts that write particles without a space after the word. */
const CJK = /[\p{sc=Hang}\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}]/u;
const OPENING = /[\p{Ps}\p{Pi}]/u;
const CLOSING = /[\p{Pe}\p{Pf},]/u;

const isBlank = (char: string): boolean => char.trim() === '';
const isWord = (char: string): boolean => WORD.test(char) && !CJK.test(char);

/** The full characters before and after a run of markers. */
function around(cx: InlineContext, from: number, to: number): [string, string] {
  const before = [...cx.slice(Math.max(cx.offset, from - 2), from)].at(-1) ?? '';
  const [after = ''] = cx.slice(to, to + 2);
  return [before, after];
}

function runEnd(cx: InlineContext, char: number, from: number): number {
  let to = from + 1;
  while (cx.char(to) === char) to++;
  return to;
}

const emphasis: InlineParser = {
  name: 'Emphasis',
  parse(cx, next, from) {
    if (next !== STAR && next !== UNDERSCORE) return -1;
    const to = runEnd(cx, next, from);
    if (to - from > RUN_MAX) return to;
    const [before, after] = around(cx, from, to);
    const isStar = next === STAR;
    // `2*3*4`, `snake_case` and `¯\_(ツ)_/¯` are not emphasis.
    const isInWord = before === '\\' || (isStar ? isWord(before) : WORD.test(before));
    const opens = !isBlank(after) && !isInWord && !CLOSING.test(after);
    const closes = !isBlank(before) && !OPENING.test(before) && (isStar || !isWord(after));
    const type = isStar ? InlineContext.emphasisAsterisk : InlineContext.emphasisUnderscore;
    return cx.addDelimiter(type, from, to, opens, closes);
  },
};

const STRIKETHROUGH: DelimiterType = { resolve: 'Strikethrough', mark: 'StrikethroughMark' };

const strikethrough: InlineParser = {
  name: 'Strikethrough',
  parse(cx, next, from) {
    if (next !== TILDE) return -1;
    const to = runEnd(cx, next, from);
    if (to - from !== 2) return to;
    const [before, after] = around(cx, from, to);
    // Koreans use tildes to stretch words: `네~~ 알겠어요~~`. These are not strikethrough.
    const opens = !isBlank(after) && !WORD.test(before) && !CLOSING.test(after);
    return cx.addDelimiter(STRIKETHROUGH, from, to, opens, !isBlank(before) && !OPENING.test(before));
  },
  before: 'Emphasis',
};

const addresses: InlineParser = {
  name: 'Address',
  parse(cx, next, from) {
    if (next < 48 || next > 122) return -1;
    const length = addressLength(cx.text, from - cx.offset);
    return length === 0 ? -1 : cx.addElement(cx.elt('Address', from, from + length));
  },
  before: 'Emphasis',
};

export const inlineNodes = ['Strikethrough', 'StrikethroughMark', 'Address'];
export const inlineParsers = [emphasis, strikethrough, addresses];
