/**
 * Quotes, lists and code blocks as people write them in chats. They differ from CommonMark where it
 * would surprise: `>_<` is not a quote, `2026. 11. 29.` is not a list, and a line belongs to a
 * quote only if it has its own `>`.
 */
import type { BlockContext, BlockParser, Line, NodeSpec } from '@lezer/markdown';

/** Maximum depth of quotes and lists. Deeper ones are text. */
const DEPTH_MAX = 6;
/** Minimum indent of a line that continues a list item. */
const ITEM_INDENT = 2;

const GREATER_THAN = 62;
const ITEM = /^(?:[-*]|([1-9]\d{0,2})[.)])[ \t]+(?=\S)/;
/** After `11. ` it makes the line a date: `11. 29.` */
const DATE = /^\d{1,2}\./;

/** The line at which a quote or an item ended. */
const ends = new WeakMap<BlockContext, number>();

function leave(cx: BlockContext): false {
  ends.set(cx, cx.lineStart);
  return false;
}

const hasLeft = (cx: BlockContext): boolean => ends.get(cx) === cx.lineStart;

const isSpace = (char: string): boolean => char === ' ' || char === '\t' || char === '';

const isQuote = (line: Line): boolean => line.next === GREATER_THAN && isSpace(line.text.charAt(line.pos + 1));

/** The index where the text after `> ` begins. */
const afterQuote = (line: Line): number => Math.min(line.pos + 2, line.text.length);

const quoteMark = (cx: BlockContext, line: Line) =>
  cx.elt('QuoteMark', cx.lineStart + line.pos, cx.lineStart + afterQuote(line));

function itemMark(line: Line): string | null {
  const rest = line.text.slice(line.pos, line.pos + 64);
  const [mark, number] = ITEM.exec(rest) ?? [];
  if (mark === undefined || (number !== undefined && DATE.test(rest.slice(mark.length)))) return null;
  return mark;
}

export const blockNodes: NodeSpec[] = [
  {
    name: 'Quote',
    composite(cx, line) {
      if (!isQuote(line)) return leave(cx);
      line.addMarker(quoteMark(cx, line));
      line.moveBase(afterQuote(line));
      return true;
    },
  },
  {
    name: 'Item',
    composite(cx, line, indent) {
      if (line.next === -1) return true;
      if (line.indent < line.baseIndent + Math.min(indent, ITEM_INDENT)) return leave(cx);
      const from = line.basePos;
      line.moveBaseColumn(Math.min(line.indent, line.baseIndent + indent));
      line.addMarker(cx.elt('Indent', cx.lineStart + from, cx.lineStart + line.basePos));
      return true;
    },
  },
  { name: 'Indent' },
];

const quotes: BlockParser = {
  name: 'Quote',
  parse(cx, line) {
    if (!isQuote(line) || cx.depth > DEPTH_MAX) return false;
    cx.startComposite('Quote', line.pos);
    cx.addElement(quoteMark(cx, line));
    line.moveBase(afterQuote(line));
    return null;
  },
  endLeaf: (_cx, line) => isQuote(line),
};

const items: BlockParser = {
  name: 'Item',
  parse(cx, line) {
    const mark = itemMark(line);
    if (mark === null || cx.depth > DEPTH_MAX) return false;
    const to = line.pos + mark.length;
    cx.startComposite('Item', line.pos, line.countIndent(to, line.pos, line.indent) - line.baseIndent);
    cx.addElement(cx.elt('ListMark', cx.lineStart + line.pos, cx.lineStart + to));
    line.moveBase(to);
    return null;
  },
  endLeaf: (_cx, line) => itemMark(line) !== null,
};

const code: BlockParser = {
  name: 'Code',
  parse(cx, line) {
    const [, fence] = /^(`{3,})[^`]*$/.exec(line.text.slice(line.pos)) ?? [];
    if (fence === undefined) return false;
    const from = cx.lineStart + line.pos;
    const marks = [cx.elt('CodeMark', from, from + fence.length)];
    // A code block without a closing fence extends to the end.
    while (cx.nextLine() && !hasLeft(cx)) {
      marks.push(...line.markers);
      const end = line.text.trimEnd();
      if (!end.endsWith(fence)) continue;
      marks.push(cx.elt('CodeMark', cx.lineStart + end.length - fence.length, cx.lineStart + line.text.length));
      cx.nextLine();
      break;
    }
    cx.addElement(cx.elt('FencedCode', from, cx.prevLineEnd(), marks));
    return true;
  },
};

/** Prevents lazy continuation: a line without the marker does not continue a quote or an item. */
const strictLines: BlockParser = {
  name: 'StrictLines',
  leaf: () => ({
    nextLine(cx, _line, leaf) {
      if (!hasLeft(cx)) return false;
      const children = cx.parser.parseInline(leaf.content, leaf.start);
      cx.addLeafElement(leaf, cx.elt('Paragraph', leaf.start, leaf.start + leaf.content.length, children));
      return true;
    },
    finish: () => false,
  }),
};

export const blockParsers = [code, quotes, items, strictLines];
