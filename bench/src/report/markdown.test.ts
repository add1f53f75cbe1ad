import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceBlock } from './markdown.ts';

test('a block is put where the one before it was, and nothing else changes', () => {
  const first = replaceBlock('# Title\n', 'one');
  const document = `${first}\nafter\n`;
  const second = replaceBlock(document, 'two');
  assert.equal(second, document.replace('one', 'two'));
  assert.equal(replaceBlock(second, 'two'), second);
});

test('a document with half of the markers is left alone', () => {
  const whole = replaceBlock('', 'one');
  assert.throws(() => replaceBlock(whole.replace('<!-- bench:end -->', ''), 'two'));
});
