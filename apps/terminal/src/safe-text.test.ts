import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { safeLine, safeText } from './safe-text.ts';

test('escape sequences, bidi controls and stacks of marks do not reach the terminal', () => {
  assert.equal(safeText('a\u001b[2Jb\u009b31mc\u0007\r\nd\te'), 'a[2Jb31mc\nd e');
  assert.equal(safeText('user\u202egnp.exe\u2066'), 'usergnp.exe');
  assert.equal(safeText(`e${'\u0301'.repeat(50)}`), `e${'\u0301'.repeat(4)}`);
  assert.equal(safeLine('two\nlines'), 'two lines');
  assert.equal(safeText('한글 🙂 tiếng Việt'), '한글 🙂 tiếng Việt');
});

test('a safe text has no control character except line feeds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not remain
      assert.doesNotMatch(safeText(text), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});
