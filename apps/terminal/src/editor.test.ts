import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as editor from './editor.ts';

test('the caret moves by one Korean syllable, one emoji of several characters, or one letter', () => {
  const line = editor.lineOf('가👩‍👩‍👧a');
  assert.equal(editor.backspace(line).text, '가👩‍👩‍👧');
  assert.equal(editor.backspace(editor.left(line)).text, '가a');
  const first = editor.left(editor.left(editor.left(line)));
  assert.deepEqual([first.caret, editor.left(first).caret], [0, 0]);
  assert.equal(editor.right(first).caret, 1);
  assert.equal(editor.deleteForward(editor.right(first)).text, '가a');
});

test('text is inserted at the caret, and words or the beginning are deleted before it', () => {
  const line = editor.insert(editor.left(editor.lineOf('안녕')), '!');
  assert.equal(line.text, '안!녕');
  assert.equal(editor.deleteWord(editor.lineOf('good morning  ')).text, 'good ');
  assert.equal(editor.deleteToStart({ text: 'abc', caret: 2 }).text, 'c');
});
