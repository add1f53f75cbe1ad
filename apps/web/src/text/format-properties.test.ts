import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { format } from './format.ts';
import type { Block, Inline } from './model.ts';

interface Measured {
  /** All visible characters, in order. */
  shown: string;
  nodes: number;
  depth: number;
}

const NOTHING: Measured = { shown: '', nodes: 0, depth: 0 };

const join = (all: Measured[]): Measured =>
  all.reduce(
    (sum, one) => ({
      shown: sum.shown + one.shown,
      nodes: sum.nodes + one.nodes,
      depth: Math.max(sum.depth, one.depth),
    }),
    NOTHING,
  );

const within = (children: Measured): Measured => ({
  ...children,
  nodes: children.nodes + 1,
  depth: children.depth + 1,
});

/** Throws on an unknown part. */
function ofInline(part: Inline): Measured {
  if (typeof part === 'string') return { ...NOTHING, shown: part, nodes: 1 };
  if (part.kind === 'code') return within({ ...NOTHING, shown: part.text });
  assert.ok(['strong', 'em', 'del', 'link'].includes(part.kind), part.kind);
  if (part.kind === 'link') assert.match(part.target.href, /^(?:https?:\/\/|mailto:)/);
  return within(join(part.children.map(ofInline)));
}

function ofBlock(block: Block): Measured {
  if (block.kind === 'lines') return join(block.children.map(ofInline));
  if (block.kind === 'code') return within({ ...NOTHING, shown: `${block.language ?? ''}\n${block.text}` });
  if (block.kind === 'quote') return within(join(block.children.map(ofBlock)));
  assert.equal(block.kind, 'list');
  return within(
    join(
      block.items.map(({ number, children }) => {
        assert.ok(number === null || (Number.isInteger(number) && number > 0));
        const item = within(join(children.map(ofBlock)));
        return { ...item, shown: `${number ?? ''}${item.shown}` };
      }),
    ),
  );
}

const measure = (text: string): Measured => join(format(text).map(ofBlock));

/** The text without markers and spaces. */
const withoutMarkers = (text: string): string => text.replace(/[\s*_~`>\-.)]/g, '');

const PIECES = [
  ...['*', '**', '_', '~~', '`', '```', '> ', '- ', '1. ', '3) ', '[', ']', '(', ')', '!', '\\', '<b>', '&lt;', '#'],
  ...[' ', ' ', '\n', '\n', '\n\n', '  ', '\t', '|', '---', '===', '@', ':', '"', '.', ','],
  ...['a', 'word', '가', '강조', '는', '1', '👍', '\u0301', '\u202e', '\u200b', '漢'],
];

describe('any text', () => {
  it('keeps all characters that are not markers, in order', () => {
    const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(withoutMarkers(measure(text).shown), withoutMarkers(text));
      }),
      { numRuns: 500 },
    );
  });

  it('yields only known parts, and links to allowed addresses', () => {
    const links = [
      'https://',
      'http://a.example',
      'javascript:',
      'data:',
      'www.',
      'mailto:',
      'a@b.example',
      '](',
      '//',
    ];
    const texts = fc
      .array(fc.oneof(fc.constantFrom(...PIECES, ...links), fc.string({ unit: 'binary', maxLength: 4 })))
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(texts, (text) => void measure(text)),
      { numRuns: 500 },
    );
  });

  const BYTES = 16_384;
  const fill = (piece: string): string => piece.repeat(BYTES / piece.length);
  const HOSTILE = [
    ...[
      '*',
      '_',
      '~~',
      '`',
      '[',
      '> ',
      '- ',
      '1. ',
      '*a ',
      'a*',
      '*a* ',
      '**a',
      'a** ',
      '[a](',
      '[a](<',
      '``` ',
      '```\n',
    ],
    ...['- a\n', '> a\n', '1. a\n\n', '`a` ', '\\*', '<a ', 'https://a.example ', '(https://[', 'a@b.', '@a.', '`a``b'],
    ...['*a _b ~~c ', '> - 1. ', ' ', '\n', '\t- ', '\u0301'],
  ];
  for (const piece of HOSTILE) {
    it(`has few and shallow parts in 16 KiB of ${JSON.stringify(piece)}`, () => {
      const { nodes, depth, shown } = measure(fill(piece));
      assert.ok(nodes <= 3_000, `${nodes} nodes`);
      assert.ok(depth <= 16, `${depth} deep`);
      assert.ok(shown.length <= 2 * BYTES);
    });
  }

  it('stays shallow if each line is nested deeper than the previous one', () => {
    const lines = (piece: string) => Array.from({ length: 180 }, (_, index) => piece.repeat(index + 1)).join('a\n');
    for (const piece of ['> ', '  ', '- ', '*']) assert.ok(measure(lines(piece)).depth <= 16, piece);
    const indented = Array.from({ length: 180 }, (_, index) => `${'  '.repeat(index)}- a`).join('\n');
    assert.ok(measure(indented).depth <= 16);
  });
});
