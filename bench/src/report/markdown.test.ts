import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceBlock } from './markdown.ts';

test('replaces the previous block and nothing else', () => {
  const first = replaceBlock('# Title\n', 'one');
  const document = `${first}\nafter\n`;
  const second = replaceBlock(document, 'two');
  assert.equal(second, document.replace('one', 'two'));
  assert.equal(replaceBlock(second, 'two'), second);
});

test('rejects a document with only one marker', () => {
  const whole = replaceBlock('', 'one');
  assert.throws(() => replaceBlock(whole.replace('<!-- bench:end -->', ''), 'two'));
});
