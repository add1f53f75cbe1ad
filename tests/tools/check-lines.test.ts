import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLines } from '../../tools/check-lines.mjs';
import { plantTree, removeTree } from './planted-tree.ts';

const problemsOf = (files: Record<string, string>): string[] => {
  const root = plantTree(files);
  try {
    return checkLines({ root });
  } finally {
    removeTree(root);
  }
};
const of = (columns: number, begin: string) => begin.padEnd(columns, 'x');

test('long lines of comments and Markdown are reported', () => {
  const problems = problemsOf({
    'a.ts': `${of(101, '// ')}\n${of(101, ' * ')}\n${of(101, 'const ')}\n${of(100, '// ')}\n`,
    'b.lua': `${of(101, '-- ')}\n`,
    'c.md': `${of(141, 'text ')}\n${of(140, 'text ')}\n`,
  });
  assert.deepEqual(problems.sort(), [
    'a.ts:1: 101 columns, more than 100',
    'a.ts:2: 101 columns, more than 100',
    'b.lua:1: 101 columns, more than 100',
    'c.md:1: 141 columns, more than 140',
  ]);
});

test('a character of any script is one column, and unbreakable lines may be longer', () => {
  const fits = `// ${'가'.repeat(97)}\n${of(130, '// see https://example.org/')}\n`;
  const page = `${of(200, '| a table ')}\n\`\`\`\n${of(200, 'a command ')}\n\`\`\`\n`;
  assert.deepEqual(problemsOf({ 'a.ts': fits, 'b.md': page, 'docs/measurements/c.md': of(200, 'a report ') }), []);
});
