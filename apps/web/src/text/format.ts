/**
 * Parses a text into parts with the Markdown parser Lezer. Lezer returns a tree of positions, so
 * unsupported markup stays as typed: HTML, headings, tables, images.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser as commonMark } from '@lezer/markdown';
import { blockNodes, blockParsers } from './grammar-blocks.ts';
import { inlineNodes, inlineParsers } from './grammar-inline.ts';
import { labelledTarget, targetOf } from './links.ts';
import type { Block, Inline, ListItem } from './model.ts';

/** Maximum depth of emphasis. Deeper markers are shown as text. */
const NESTING_MAX = 4;
/** A text with more parts is shown as typed. No person writes so many. */
const PARTS_MAX = 1_000;

const parser = commonMark.configure({
  remove: [
    ...['LinkReference', 'IndentedCode', 'FencedCode', 'Blockquote', 'HorizontalRule', 'BulletList', 'OrderedList'],
    ...['ATXHeading', 'HTMLBlock', 'SetextHeading', 'Escape', 'Entity', 'HTMLTag', 'HardBreak', 'Image'],
  ],
  defineNodes: [...blockNodes, ...inlineNodes],
  parseBlock: blockParsers,
  parseInline: inlineParsers,
});

export function format(text: string): Block[] {
  const reader = new Reader(text);
  const blocks = reader.blocks(parser.parse(text).topNode, true);
  return reader.parts > PARTS_MAX ? [{ kind: 'lines', children: [text] }] : blocks;
}

const MARKS = new Set(['EmphasisMark', 'StrikethroughMark', 'LinkMark', 'CodeMark']);
/** Marks of the blocks that contain a text. */
const OUTER_MARKS = new Set(['QuoteMark', 'ListMark', 'Indent']);
const INLINE_KINDS = { Emphasis: 'em', StrongEmphasis: 'strong', Strikethrough: 'del' } as const;
/** Markers around punctuation only are a face: `*^^*`. */
const SAYS_SOMETHING = /[\p{L}\p{N}\p{Emoji_Presentation}]/u;

function* childrenOf(node: SyntaxNode): Generator<SyntaxNode> {
  for (let child = node.firstChild; child !== null; child = child.nextSibling) yield child;
}

function append(parts: Inline[], part: Inline): void {
  const last = parts.at(-1);
  if (part === '') return;
  if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
  else parts.push(part);
}

class Reader {
  /** Number of parts so far. */
  parts = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Keeps blank lines between blocks. `isWhole`: also keeps spaces before the first word. */
  blocks(node: SyntaxNode, isWhole = false): Block[] {
    const blocks: Block[] = [];
    let at = node.from;
    for (const child of childrenOf(node)) {
      if (OUTER_MARKS.has(child.name)) continue;
      const gap = this.#text.slice(at, child.from);
      const breaks = '\n'.repeat(gap.split('\n').length - 1);
      const spaces = isWhole ? (/[^\S\n]*$/.exec(gap)?.[0] ?? '') : '';
      at = child.to;
      if (child.name === 'Paragraph') this.#addLines(blocks, breaks + spaces, this.#inlines(child, 0, false));
      else this.#addBlock(blocks, breaks, child);
    }
    return blocks;
  }

  #addLines(blocks: Block[], gap: string, children: Inline[]): void {
    const last = blocks.at(-1);
    const lines: Inline[] = last?.kind === 'lines' ? last.children : [];
    // A block already ends its line.
    append(lines, last === undefined || last.kind === 'lines' ? gap : gap.replace('\n', ''));
    for (const child of children) append(lines, child);
    if (last?.kind !== 'lines' && lines.length > 0) blocks.push({ kind: 'lines', children: lines });
  }

  #addBlock(blocks: Block[], breaks: string, node: SyntaxNode): void {
    this.parts += 1;
    const last = blocks.at(-1);
    if (node.name === 'Item') {
      const item = this.#item(node);
      const isNumbered = item.number !== null;
      if (last?.kind === 'list' && last.isNumbered === isNumbered) last.items.push(item);
      else {
        this.#addLines(blocks, breaks, []);
        blocks.push({ kind: 'list', isNumbered, items: [item] });
      }
      return;
    }
    this.#addLines(blocks, breaks, []);
    if (node.name === 'Quote') blocks.push({ kind: 'quote', children: this.blocks(node) });
    else if (node.name === 'FencedCode') blocks.push(this.#code(node));
    else this.#addLines(blocks, '', [this.#text.slice(node.from, node.to)]);
  }

  #item(node: SyntaxNode): ListItem {
    const number = Number.parseInt(this.#text.slice(node.from, node.from + 4), 10);
    return { number: Number.isNaN(number) ? null : number, children: this.blocks(node) };
  }

  #code(node: SyntaxNode): Block {
    const text = this.#without(node);
    const [, language = null, rest = text] = /^[ \t]*([\w+#.-]{1,20})?[ \t]*\n([\s\S]*)$/.exec(text) ?? [];
    return { kind: 'code', language, text: rest.replace(/\n$/, '') };
  }

  /** The text of a node without its marks. */
  #without(node: SyntaxNode): string {
    let [text, at] = ['', node.from];
    for (const child of childrenOf(node)) {
      text += this.#text.slice(at, child.from);
      at = child.to;
    }
    return text + this.#text.slice(at, node.to);
  }

  #inlines(node: SyntaxNode, depth: number, hidesMarks: boolean): Inline[] {
    const parts: Inline[] = [];
    let at = node.from;
    for (const child of childrenOf(node)) {
      append(parts, this.#text.slice(at, child.from));
      at = child.to;
      if (OUTER_MARKS.has(child.name) || (hidesMarks && MARKS.has(child.name))) continue;
      for (const part of this.#inline(child, depth)) append(parts, part);
    }
    append(parts, this.#text.slice(at, node.to));
    return parts;
  }

  /** Returns several parts if the node is shown as typed. */
  #inline(node: SyntaxNode, depth: number): Inline[] {
    this.parts += 1;
    const text = this.#text.slice(node.from, node.to);
    const { name } = node;
    if (name === 'InlineCode') return [{ kind: 'code', text: trimmedCode(this.#without(node)) }];
    if (name === 'Address' || name === 'URL') {
      const target = targetOf(text);
      return [target === null ? text : { kind: 'link', target, children: [text] }];
    }
    if (name === 'Link') return this.#link(node, depth);
    if (!(name in INLINE_KINDS)) return [text];
    const isFormat = depth < NESTING_MAX && SAYS_SOMETHING.test(text);
    const children = this.#inlines(node, depth + 1, isFormat);
    return isFormat ? [{ kind: INLINE_KINDS[name as keyof typeof INLINE_KINDS], children }] : children;
  }

  #link(node: SyntaxNode, depth: number): Inline[] {
    const url = node.getChild('URL');
    const [open, close] = node.getChildren('LinkMark');
    const isImage = this.#text.charAt(node.from - 1) === '!';
    if (url !== null && open !== undefined && close !== undefined && !isImage && node.getChild('LinkTitle') === null) {
      const label = this.#text.slice(open.to, close.from);
      const target = labelledTarget(label, this.#text.slice(url.from, url.to));
      // A link cannot contain another link.
      if (target !== null) return [{ kind: 'link', target, children: [label] }];
    }
    return this.#inlines(node, depth + 1, false);
  }
}

/** One space inside the backticks allows code that begins or ends with a backtick: `` ` `` */
const trimmedCode = (text: string): string =>
  text.startsWith(' ') && text.endsWith(' ') && text.trim() !== '' ? text.slice(1, -1) : text;
